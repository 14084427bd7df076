/** Connections made directly: rows and vault cells, as a save leaves them, without asking the provider 10,000 times. */
import { connectionWorkflowId, formatRef, grantRef, clientSecretRef, TASK_QUEUE } from '../../src/connection/ids';
import { CONNECTION_WORKFLOW } from '../../src/connection/messages';
import type { IntegrationSettings } from '../../src/connection/messages';
import type { ConnectionRef } from '../../src/connection/types';
import { Secret } from '../../src/vault/secret';
import { TENANT, type Stage } from './stage';

export const CLIENT = 'fleet';
export const SECRET = 'secret-of-the-fleet';

export interface Member {
  readonly ref: ConnectionRef;
  readonly expiresAt: number;
}

const LANES = 16;

/** Work through a list, so many at a time. */
export async function inLanes<T>(items: readonly T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/**
 * @param options.expiresAt epoch ms by index
 * @param options.lifetimeSeconds of the tokens that are there; the provider decides on the next ones
 * @param options.nextAttemptAt what the row says of the next refresh: in the past, it is overdue
 */
export async function makeFleet(
  { parts, provider }: Stage,
  options: {
    readonly count: number;
    readonly from?: number;
    readonly expiresAt: (index: number) => number;
    readonly lifetimeSeconds: number;
    readonly policy?: IntegrationSettings['policy'];
    readonly nextAttemptAt?: (expiresAt: number) => number;
  },
): Promise<Member[]> {
  const { count, from = 0, lifetimeSeconds, policy = { refresh: 'proactive', fallback: 'pause' } } = options;
  const members = Array.from({ length: count }, (_, index): Member => {
    const connection = `cn_${String(from + index).padStart(6, '0')}`;
    return { ref: { tenant: TENANT, connection }, expiresAt: options.expiresAt(index) };
  });
  await inLanes(members, LANES, async ({ ref, expiresAt }) => {
    const id = ref.connection.slice(3);
    const issuedAt = new Date(expiresAt - lifetimeSeconds * 1000).toISOString();
    const [grant, client] = [`gr_${id}`, `oc_${id}`];
    const audience = [new URL(provider.endpoints.token).origin];
    await parts.vault.put(clientSecretRef(TENANT, client, 'sec_1'), 1, {
      kind: 'client_secret',
      clientSecret: new Secret(SECRET),
      audience,
    });
    const token = {
      grant,
      generation: 1,
      issuedAt,
      receivedAt: issuedAt,
      expiresAt: new Date(expiresAt).toISOString(),
      lifetimeSeconds,
      scope: '',
      refreshable: true,
    };
    await parts.vault.put(grantRef(ref, grant), 1, {
      kind: 'token_set',
      accessToken: new Secret(`first-access-token-of-${id}`),
      refreshToken: new Secret(provider.issueRefreshToken(CLIENT)),
      tokenType: 'Bearer',
      scope: '',
      issuedAt,
      receivedAt: issuedAt,
      expiresAt: token.expiresAt,
      lifetimeSeconds,
      grantedAt: issuedAt,
      audience,
    });
    await parts.registry.integrations.register({
      tenant: TENANT,
      integration: `in_${id}`,
      connection: ref.connection,
      client: { id: client, label: 'Fleet', secretId: 'sec_1' },
      settings: {
        label: 'Fleet',
        preset: 'generic',
        grant_type: 'refresh_token',
        endpoints: { token: provider.endpoints.token },
        client_id: CLIENT,
        client_auth: 'client_secret_basic',
        scope: '',
        api_base_url: provider.apiBaseUrl,
        environment: 'production',
        rotation: 'none',
        policy,
        refresh_token_required: true,
      },
      grant,
      token,
      state: 'active',
      grantedAt: issuedAt,
      nextAttemptAt: new Date(options.nextAttemptAt?.(expiresAt) ?? expiresAt).toISOString(),
      event: { type: 'connection.activated', by: 'bench', traceId: 'bench' },
    });
  });
  return members;
}

export async function startRuns({ parts }: Stage, members: readonly Member[], lanes = LANES): Promise<void> {
  await inLanes(members, lanes, async ({ ref }) => {
    await parts.temporal.workflow.start(CONNECTION_WORKFLOW, {
      workflowId: connectionWorkflowId(ref),
      taskQueue: TASK_QUEUE,
      args: [{ v: 1, ref: formatRef(ref) }],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
  });
}
