/**
 * AWS Secrets Manager: one secret per ref, one version per generation. A version's id is derived from ref and generation
 * (`ClientRequestToken`), which makes a cell create-only; the deletion window is the tombstone. Names hold opaque ids only.
 *
 * Writes are 50 per second and region (not adjustable), and of each secret about 100 versions a day: tokens that live for
 * minutes do not belong here (`minWriteIntervalSeconds`).
 */
import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  paginateListSecrets,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { LRUCache } from 'lru-cache';
import { DurableOAuthError } from '../errors';
import { awsFault, onAws, type Fault } from './aws-faults';
import {
  checkCell,
  checkRef,
  sameSecret,
  secretFromText,
  secretToText,
  vaultConflict,
  vaultGone,
  vaultMissing,
} from './cell';
import type { Vault, VaultCapabilities, VaultEntry } from './port';
import type { VaultSecret } from './secret';

export interface AwsVaultOptions {
  /** Begins the name of every secret: one per installation, so that IAM can tell them apart. */
  readonly prefix: string;
  /** Region, endpoint and credentials; by default what the AWS environment says. */
  readonly client?: SecretsManagerClientConfig;
}

/** Room for the generation in front of the value. */
const HEADER_BYTES = 24;
const DELETION_WINDOW_DAYS = 7;
/** 100 versions a day, with some to spare. */
const MIN_WRITE_INTERVAL_SECONDS = 900;
const WARY_MS = 30_000;
/** Refs whose newest generation is remembered, because reads may lag behind writes. */
const REMEMBERED = 10_000;
const TOMBSTONE = 'destroyed';
/** Create and delete may miss each other while the store is not yet of one mind. */
const DESTROY_TURNS = 5;

/** @returns a driver; nothing is asked of AWS before the first call */
export function openAwsVault({ prefix, client }: AwsVaultOptions): Vault {
  const manager = new SecretsManagerClient({
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000 },
    ...client,
    // The SDK would repeat a full version quota as if it were throttling; what is repeated is decided in aws-faults.ts.
    maxAttempts: 1,
  });
  return new AwsVault(manager, prefix.replace(/\/+$/, ''));
}

class AwsVault implements Vault {
  readonly capabilities: VaultCapabilities = {
    driver: 'aws-secrets-manager',
    maxBytes: 65_536 - HEADER_BYTES,
    minWriteIntervalSeconds: MIN_WRITE_INTERVAL_SECONDS,
    recoveryWindowDays: DELETION_WINDOW_DAYS,
  };
  readonly #manager: SecretsManagerClient;
  readonly #prefix: string;
  /** Newest generation this process has written or read, by ref. */
  readonly #newest = new LRUCache<string, number>({ max: REMEMBERED });
  #waryUntil = 0;

  constructor(manager: SecretsManagerClient, prefix: string) {
    this.#manager = manager;
    this.#prefix = prefix;
  }

  async put(ref: string, generation: number, secret: VaultSecret): Promise<'stored' | 'same'> {
    checkCell(ref, generation);
    const text = secretToText(ref, secret, this.capabilities.maxBytes);
    try {
      const outcome = await this.#put(ref, generation, secret, `${generation}\n${text}`);
      this.#remember(ref, generation);
      return outcome;
    } catch (error) {
      if (error instanceof DurableOAuthError && error.code === 'VAULT_UNAVAILABLE')
        this.#waryUntil = Date.now() + WARY_MS;
      throw error;
    }
  }

  async #put(ref: string, generation: number, secret: VaultSecret, value: string): Promise<'stored' | 'same'> {
    const current = await this.#read(ref, { VersionStage: 'AWSCURRENT' });
    const newest = Math.max(current?.generation ?? 0, this.#newest.get(ref) ?? 0);
    if (newest === 0 && (await this.#create(ref, generation, value))) return 'stored';
    if (newest >= generation) {
      const there = await this.#read(ref, { VersionId: versionId(ref, generation) });
      if (there !== undefined) return this.#compare(ref, there, secret);
    }
    // A generation that comes late gets a label of its own: the newest stays current.
    const stage = newest > generation ? `generation-${generation}` : 'AWSCURRENT';
    const fault = await this.#write(ref, generation, value, stage);
    if (fault === undefined) return 'stored';
    if (fault === 'gone') throw vaultGone(ref);
    throw vaultConflict(ref, generation);
  }

  /** @returns false when somebody else was first */
  async #create(ref: string, generation: number, value: string): Promise<boolean> {
    const fault = await this.#try(ref, 'The vault entry was not stored', () =>
      this.#manager.send(
        new CreateSecretCommand({
          Name: this.#name(ref),
          ClientRequestToken: versionId(ref, generation),
          SecretString: value,
          Tags: tagsOf(ref),
        }),
      ),
    );
    if (fault === 'gone') throw vaultGone(ref);
    return fault === undefined;
  }

  #write(ref: string, generation: number, value: string, stage: string): Promise<Fault | undefined> {
    return this.#try(ref, 'The vault entry was not stored', () =>
      this.#manager.send(
        new PutSecretValueCommand({
          SecretId: this.#name(ref),
          ClientRequestToken: versionId(ref, generation),
          SecretString: value,
          VersionStages: [stage],
        }),
      ),
    );
  }

  async latest(ref: string): Promise<VaultEntry> {
    checkRef(ref);
    const current = await this.#read(ref, { VersionStage: 'AWSCURRENT' });
    const known = this.#newest.get(ref) ?? 0;
    const behind = (current?.generation ?? 0) < known;
    // What this process wrote is read by its version id while the label lags behind.
    const newest = behind ? ((await this.#read(ref, { VersionId: versionId(ref, known) })) ?? current) : current;
    if (newest === undefined) throw vaultMissing(ref);
    this.#remember(ref, newest.generation);
    return newest;
  }

  async destroy(ref: string): Promise<void> {
    checkRef(ref);
    this.#newest.delete(ref);
    for (let turn = 0; turn < DESTROY_TURNS; turn++) {
      const fault = await this.#delete(ref);
      if (fault !== 'missing' || ref.startsWith('system/')) return;
      // Its first put may still be on its way: the name is taken, then deleted, so that the put finds it gone.
      if ((await this.#takeName(ref)) === 'gone') return;
    }
    throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The vault entry was not destroyed: its state keeps changing', {
      ref,
    });
  }

  /** Envelope keys are destroyed for good; everything else can be restored by an administrator for a week. */
  #delete(ref: string): Promise<Fault | undefined> {
    const window = ref.startsWith('system/')
      ? { ForceDeleteWithoutRecovery: true }
      : { RecoveryWindowInDays: DELETION_WINDOW_DAYS };
    return this.#try(ref, 'The vault entry was not destroyed', () =>
      this.#manager.send(new DeleteSecretCommand({ SecretId: this.#name(ref), ...window })),
    );
  }

  #takeName(ref: string): Promise<Fault | undefined> {
    return this.#try(ref, 'The vault entry was not destroyed', () =>
      this.#manager.send(
        new CreateSecretCommand({
          Name: this.#name(ref),
          ClientRequestToken: createHash('sha256').update(`${ref}\n${TOMBSTONE}`).digest('hex'),
          SecretString: TOMBSTONE,
          Tags: tagsOf(ref),
        }),
      ),
    );
  }

  /** No call: a question that wrote would cost a version. After a failed put the answer is no for 30 s. */
  async checkWritable(): Promise<void> {
    if (Date.now() >= this.#waryUntil) return;
    throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The vault did not take an entry less than 30 s ago');
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const start = `${this.#prefix}/${prefix}`;
    const pages = paginateListSecrets({ client: this.#manager }, { Filters: [{ Key: 'name', Values: [start] }] });
    for (;;) {
      const page = await onAws('The vault entries were not listed', { prefix }, () => pages.next());
      if (page.done) return;
      for (const { Name: name = '', DeletedDate: deleted } of page.value.SecretList ?? []) {
        if (name.startsWith(start) && deleted === undefined) yield name.slice(this.#prefix.length + 1);
      }
    }
  }

  /** @returns undefined when there is no such secret or version; @throws VAULT_GONE */
  async #read(
    ref: string,
    which: { readonly VersionStage: string } | { readonly VersionId: string },
  ): Promise<VaultEntry | undefined> {
    let text: string | undefined;
    const fault = await this.#try(ref, 'The vault entry was not read', async () => {
      const answer = await this.#manager.send(new GetSecretValueCommand({ SecretId: this.#name(ref), ...which }));
      text = answer.SecretString;
    });
    if (fault === 'missing') return undefined;
    if (fault === 'gone' || text === TOMBSTONE) throw vaultGone(ref);
    const [, digits = '', value = ''] = /^(\d{1,16})\n(.*)$/s.exec(text ?? '') ?? [];
    const generation = Number(digits);
    return { generation, secret: secretFromText(ref, generation, value) };
  }

  #compare(ref: string, there: VaultEntry, secret: VaultSecret): 'same' {
    if (sameSecret(there.secret, secret)) return 'same';
    throw vaultConflict(ref, there.generation);
  }

  #remember(ref: string, generation: number): void {
    this.#newest.set(ref, Math.max(generation, this.#newest.get(ref) ?? 0));
  }

  /** @returns what the store says instead of doing it; @throws VAULT_UNAVAILABLE and INTERNAL */
  async #try(ref: string, attempted: string, call: () => Promise<unknown>): Promise<Fault | undefined> {
    try {
      await onAws(attempted, { ref }, call);
      return undefined;
    } catch (error) {
      const fault = awsFault(error);
      if (fault === undefined) throw error;
      return fault;
    }
  }

  #name(ref: string): string {
    return `${this.#prefix}/${ref}`;
  }
}

/** IAM policies isolate tenants by it. */
const tagsOf = (ref: string): { Key: string; Value: string }[] => {
  const [kind = '', tenant = ''] = ref.split('/');
  return [{ Key: 'tenant', Value: kind === 'system' ? kind : tenant }];
};

/** 32 to 64 characters; becomes the id of the version. */
const versionId = (ref: string, generation: number): string =>
  createHash('sha256').update(`${ref}\n${generation}`).digest('hex');
