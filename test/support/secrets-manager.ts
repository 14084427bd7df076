/**
 * AWS Secrets Manager on the wire (JSON 1.1 over `X-Amz-Target`), the operations we use, with what emulators lack: exact
 * idempotency tokens, the deletion window, the cap of versions, the write bucket, reads that lag, a broken KMS key, and
 * answers that are lost after the commit. Every request is logged.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Version {
  readonly value: string;
  readonly createdAt: number;
  stages: Set<string>;
}

interface StoredSecret {
  readonly arn: string;
  readonly tags: unknown;
  readonly versions: Map<string, Version>;
  /** Who was AWSCURRENT from when on, as readers see it. */
  readonly current: { readonly id: string; readonly visibleAt: number }[];
  deletedAt?: number;
}

export interface SecretsManagerFaults {
  /** Milliseconds by which reads lag behind writes. */
  lagMs: number;
  /** Commit, and drop the connection, this many times. */
  loseAnswers: number;
  /** Answer with this error, this many times. */
  fail?: { readonly name: string; readonly times: number };
  kmsBroken: boolean;
  /** Writes per second; Infinity = no bucket. */
  writesPerSecond: number;
}

export interface FakeSecretsManager {
  readonly endpoint: string;
  readonly faults: SecretsManagerFaults;
  /** Operation names in order. */
  readonly log: string[];
  names(): readonly string[];
  stop(): Promise<void>;
}

type Body = Readonly<Record<string, unknown>>;

class AwsError extends Error {
  readonly status: number;
  constructor(name: string, message: string, status = 400) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

const WRITES = ['CreateSecret', 'PutSecretValue', 'DeleteSecret'];
const VERSIONS_PER_DAY = 100;
const DAY_MS = 86_400_000;

export async function startSecretsManager(): Promise<FakeSecretsManager> {
  const secrets = new Map<string, StoredSecret>();
  const log: string[] = [];
  const faults: SecretsManagerFaults = { lagMs: 0, loseAnswers: 0, kmsBroken: false, writesPerSecond: Infinity };
  let bucket = { second: 0, used: 0 };

  const living = (id: string): StoredSecret => {
    const secret = secrets.get(id);
    if (!secret) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    if (secret.deletedAt !== undefined)
      throw new AwsError(
        'InvalidRequestException',
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    return secret;
  };

  function addVersion(secret: StoredSecret, id: string, value: string, stages: readonly string[]): void {
    const known = secret.versions.get(id);
    if (known) {
      if (known.value === value) return;
      throw new AwsError('ResourceExistsException', 'A version with this token and another value exists.');
    }
    const young = [...secret.versions.values()].filter(({ createdAt }) => createdAt > Date.now() - DAY_MS);
    if (young.length >= VERSIONS_PER_DAY) throw new AwsError('LimitExceededException', 'The version quota is full.');
    for (const stage of stages) {
      for (const version of secret.versions.values()) {
        if (!version.stages.delete(stage) || stage !== 'AWSCURRENT') continue;
        for (const other of secret.versions.values()) other.stages.delete('AWSPREVIOUS');
        version.stages.add('AWSPREVIOUS');
      }
    }
    secret.versions.set(id, { value, createdAt: Date.now(), stages: new Set(stages) });
    if (stages.includes('AWSCURRENT')) secret.current.push({ id, visibleAt: Date.now() + faults.lagMs });
  }

  const operations: Readonly<Record<string, (body: Body) => unknown>> = {
    CreateSecret({ Name, ClientRequestToken, SecretString, Tags }) {
      const name = String(Name);
      const there = secrets.get(name);
      if (there?.deletedAt !== undefined)
        throw new AwsError(
          'InvalidRequestException',
          "You can't create this secret because a secret with this name is already scheduled for deletion.",
        );
      if (there && there.versions.get(String(ClientRequestToken))?.value !== String(SecretString))
        throw new AwsError('ResourceExistsException', 'The operation failed because the secret already exists.');
      const arn = `arn:aws:secretsmanager:eu-test-1:000000000000:secret:${name}`;
      const secret = there ?? { arn, tags: Tags, versions: new Map(), current: [] };
      secrets.set(name, secret);
      addVersion(secret, String(ClientRequestToken), String(SecretString), ['AWSCURRENT']);
      return { ARN: secret.arn, Name: name, VersionId: ClientRequestToken };
    },
    PutSecretValue({ SecretId, ClientRequestToken, SecretString, VersionStages = ['AWSCURRENT'] }) {
      const secret = living(String(SecretId));
      addVersion(secret, String(ClientRequestToken), String(SecretString), VersionStages as string[]);
      return { ARN: secret.arn, Name: SecretId, VersionId: ClientRequestToken, VersionStages };
    },
    GetSecretValue({ SecretId, VersionId, VersionStage = 'AWSCURRENT' }) {
      const secret = living(String(SecretId));
      const id =
        typeof VersionId === 'string'
          ? VersionId
          : VersionStage === 'AWSCURRENT'
            ? secret.current.filter(({ visibleAt }) => visibleAt <= Date.now()).at(-1)?.id
            : [...secret.versions].find(([, { stages }]) => stages.has(String(VersionStage)))?.[0];
      const version = id === undefined ? undefined : secret.versions.get(id);
      if (!version)
        throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret value.");
      return {
        ARN: secret.arn,
        Name: SecretId,
        VersionId: id,
        SecretString: version.value,
        VersionStages: [...version.stages],
      };
    },
    DeleteSecret({ SecretId, ForceDeleteWithoutRecovery }) {
      const name = String(SecretId);
      if (ForceDeleteWithoutRecovery === true) {
        secrets.delete(name);
        return { Name: name };
      }
      living(name).deletedAt = Date.now();
      return { Name: name, DeletionDate: Date.now() / 1000 };
    },
    ListSecrets({ Filters, NextToken, MaxResults = 2 }) {
      const prefix = ((Filters as { Values: string[] }[] | undefined) ?? [])[0]?.Values[0] ?? '';
      const all = [...secrets].filter(([name, { deletedAt }]) => name.startsWith(prefix) && deletedAt === undefined);
      const from = Number(NextToken ?? 0);
      const to = from + Number(MaxResults);
      return {
        SecretList: all.slice(from, to).map(([Name, { arn }]) => ({ Name, ARN: arn })),
        ...(to < all.length && { NextToken: String(to) }),
      };
    },
  };

  function perform(operation: string, body: Body): unknown {
    log.push(operation);
    if (faults.fail && faults.fail.times > 0) {
      faults.fail = { ...faults.fail, times: faults.fail.times - 1 };
      throw new AwsError(faults.fail.name, 'Scripted.', faults.fail.name.startsWith('Internal') ? 500 : 400);
    }
    if (WRITES.includes(operation)) {
      const second = Math.floor(Date.now() / 1000);
      bucket = bucket.second === second ? { second, used: bucket.used + 1 } : { second, used: 1 };
      if (bucket.used > faults.writesPerSecond) throw new AwsError('ThrottlingException', 'Rate exceeded');
    }
    if (faults.kmsBroken) {
      const name = operation === 'GetSecretValue' ? 'DecryptionFailure' : 'EncryptionFailure';
      throw new AwsError(name, 'The KMS key is disabled.');
    }
    const run = operations[operation];
    if (!run) throw new AwsError('InvalidAction', `Not faked: ${operation}`);
    return run(body);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const operation = String(request.headers['x-amz-target']).replace(/^secretsmanager\./, '');
    const send = (status: number, body: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    try {
      const result = perform(operation, JSON.parse(Buffer.concat(chunks).toString() || '{}') as Body);
      if (faults.loseAnswers > 0 && WRITES.includes(operation)) {
        faults.loseAnswers--;
        return void response.destroy();
      }
      send(200, result);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      send(error.status, { __type: error.name, Message: error.message });
    }
  }

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    log,
    names: () => [...secrets.keys()],
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
