/**
 * The AWS driver on what it was not written against: moto, an emulator by others, and with AWS_TEST=1 AWS itself (region and
 * credentials from the AWS environment; entries under a prefix of the run, deleted for good at the end). And our fake
 * beside moto: where the two disagree, what AWS documents decides.
 */
import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  paginateListSecrets,
  PutSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { openAwsVault } from '../../src/vault/aws-secrets-manager';
import { vaultConformance } from '../../src/vault/conformance';
import { startSecretsManager, type FakeSecretsManager } from '../support/secrets-manager';

const CREDENTIALS = { accessKeyId: 'id', secretAccessKey: 'secret' };
const at = (endpoint: string): SecretsManagerClientConfig => ({
  endpoint,
  region: 'eu-west-1',
  credentials: CREDENTIALS,
});
const moto = (): SecretsManagerClientConfig => at(process.env.MOTO_URL ?? '');

describe('conformance on moto', () => {
  const prefix = `durable-oauth/${randomBytes(6).toString('hex')}`;
  const open = () => openAwsVault({ prefix, client: moto() });
  const made = () => Promise.resolve({ vault: open(), reopen: () => Promise.resolve(open()) });
  for (const { title, run } of vaultConformance(made)) it(title, run, 120_000);
});

(process.env.AWS_TEST === '1' ? describe : describe.skip)('conformance on AWS (skipped: AWS_TEST is not 1)', () => {
  const prefix = `durable-oauth-test/${randomBytes(6).toString('hex')}`;
  const open = () => openAwsVault({ prefix });
  const made = () => Promise.resolve({ vault: open(), reopen: () => Promise.resolve(open()) });
  for (const { title, run } of vaultConformance(made, { eventualReads: true })) it(title, run, 300_000);

  afterAll(async () => {
    const client = new SecretsManagerClient({});
    const pages = paginateListSecrets(
      { client },
      { IncludePlannedDeletion: true, Filters: [{ Key: 'name', Values: [prefix] }] },
    );
    for await (const { SecretList = [] } of pages)
      for (const { ARN } of SecretList)
        await client.send(new DeleteSecretCommand({ SecretId: ARN, ForceDeleteWithoutRecovery: true }));
  }, 600_000);
});

/** What a question to the store ended in: `ok`, a value, or the name of the error. */
type Probe = (ask: Ask) => Promise<string>;
type Ask = {
  create(name: string, token: string, value?: string): Promise<string>;
  put(name: string, token: string, value?: string, stage?: string): Promise<string>;
  get(name: string, which?: { VersionId?: string; VersionStage?: string }): Promise<string>;
  remove(name: string, force?: boolean): Promise<string>;
  name(): string;
};

const token = (n: number): string => `${n}`.padStart(32, '0');

/** The rules our driver stands on. `moto` is given where it answers otherwise; `by` is the page of AWS that decides. */
const RULES: readonly { rule: string; aws: string; moto?: string; by: string; probe: Probe }[] = [
  {
    rule: 'a create that is repeated with its token and value is done once',
    aws: 'ok',
    by: 'API reference, CreateSecret, ClientRequestToken',
    async probe({ create, name }) {
      const n = name();
      await create(n, token(1));
      return create(n, token(1));
    },
  },
  {
    rule: 'a create over a name that is taken',
    aws: 'ResourceExistsException',
    by: 'API reference, CreateSecret, Errors',
    async probe({ create, name }) {
      const n = name();
      await create(n, token(1));
      return create(n, token(2), 'other');
    },
  },
  {
    rule: 'a put that is repeated with its token and value is done once',
    aws: 'ok',
    by: 'API reference, PutSecretValue, ClientRequestToken',
    async probe({ create, put, name }) {
      const n = name();
      await create(n, token(1));
      await put(n, token(2), 'two');
      return put(n, token(2), 'two');
    },
  },
  {
    rule: 'a put with a token that stands for another value',
    aws: 'ResourceExistsException',
    by: 'API reference, PutSecretValue, ClientRequestToken',
    async probe({ create, put, name }) {
      const n = name();
      await create(n, token(1));
      await put(n, token(2), 'two');
      return put(n, token(2), 'three');
    },
  },
  {
    rule: 'the token is the id of the version',
    aws: 'two',
    by: 'API reference, PutSecretValue, ClientRequestToken',
    async probe({ create, put, get, name }) {
      const n = name();
      await create(n, token(1));
      await put(n, token(2), 'two');
      await put(n, token(3), 'three');
      return get(n, { VersionId: token(2) });
    },
  },
  {
    rule: 'a version with a label of its own leaves AWSCURRENT where it is',
    aws: 'two',
    by: 'API reference, PutSecretValue, VersionStages',
    async probe({ create, put, get, name }) {
      const n = name();
      await create(n, token(1));
      await put(n, token(2), 'two');
      await put(n, token(3), 'late', 'generation-1');
      return get(n, { VersionStage: 'AWSCURRENT' });
    },
  },
  {
    rule: 'a read of a secret that never was',
    aws: 'ResourceNotFoundException',
    by: 'API reference, GetSecretValue, Errors',
    probe: ({ get, name }) => get(name()),
  },
  {
    rule: 'a read of a secret that is to be deleted',
    aws: 'InvalidRequestException',
    by: 'API reference, GetSecretValue, Errors: the secret is scheduled for deletion',
    async probe({ create, get, remove, name }) {
      const n = name();
      await create(n, token(1));
      await remove(n);
      return get(n);
    },
  },
  {
    rule: 'a put into a secret that is to be deleted',
    aws: 'InvalidRequestException',
    moto: 'ok',
    by: 'API reference, PutSecretValue, Errors: the secret is scheduled for deletion',
    async probe({ create, put, remove, name }) {
      const n = name();
      await create(n, token(1));
      await remove(n);
      return put(n, token(2), 'two');
    },
  },
  {
    rule: 'a create over a name that is to be deleted',
    aws: 'InvalidRequestException',
    moto: 'ResourceExistsException',
    by: 'User guide, Delete a secret: the name cannot be used again before the recovery window ends',
    async probe({ create, remove, name }) {
      const n = name();
      await create(n, token(1));
      await remove(n);
      return create(n, token(2), 'two');
    },
  },
  {
    rule: 'a deletion without a window frees the name, and twice is fine',
    aws: 'ok',
    by: 'API reference, DeleteSecret, ForceDeleteWithoutRecovery',
    async probe({ create, remove, name }) {
      const n = name();
      await create(n, token(1));
      await remove(n, true);
      await remove(n, true);
      return create(n, token(2), 'two');
    },
  },
];

describe('the rules the driver stands on', () => {
  let fake: FakeSecretsManager;
  beforeAll(async () => {
    fake = await startSecretsManager();
  });
  afterAll(() => fake.stop());

  it.each(RULES)('$rule: $aws ($by)', async (row) => {
    expect(await row.probe(asking(at(fake.endpoint)))).toBe(row.aws);
    expect(await row.probe(asking(moto()))).toBe(row.moto ?? row.aws);
  });
});

function asking(config: SecretsManagerClientConfig): Ask {
  const client = new SecretsManagerClient({ ...config, maxAttempts: 1 });
  const told = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'ok',
      (error: unknown) => (error as Error).name,
    );
  return {
    create: (Name, ClientRequestToken, SecretString = 'one') =>
      told(client.send(new CreateSecretCommand({ Name, ClientRequestToken, SecretString }))),
    put: (SecretId, ClientRequestToken, SecretString, stage = 'AWSCURRENT') =>
      told(
        client.send(new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages: [stage] })),
      ),
    get: (SecretId, which = { VersionStage: 'AWSCURRENT' }) =>
      client.send(new GetSecretValueCommand({ SecretId, ...which })).then(
        ({ SecretString = '' }) => SecretString,
        (error: unknown) => (error as Error).name,
      ),
    remove: (SecretId, force = false) =>
      told(
        client.send(
          new DeleteSecretCommand({
            SecretId,
            ...(force ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: 7 }),
          }),
        ),
      ),
    name: () => `rules/${randomBytes(8).toString('hex')}`,
  };
}
