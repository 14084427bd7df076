/** What an entry that nobody can open costs: an answer, not an activity that is repeated for ever. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { createLoadConnection } from '../../activities/load-connection';
import { createRecoverRefresh } from '../../activities/recover-refresh';
import { DurableOAuthError, type ErrorCode } from '../../src/errors';
import { createCatalogue } from '../../src/providers/catalogue';
import type { ConnectionContext, ConnectionRow, Registry } from '../../src/registry/contract';
import type { Vault } from '../../src/vault/port';
import { quiet, REF } from '../support/api';
import { settings } from '../support/settings';

const AT = { issuer: 'https://login.test', apiUrl: 'https://api.test' };
const connection = {
  grantId: 'gr_1',
  previousGrantId: null,
  frozenAt: null,
  revokingSince: null,
  state: 'active',
  generation: 3,
};

function depsWith(code: ErrorCode) {
  const context = {
    connection: connection as ConnectionRow,
    integration: { settings: settings(AT, { grant_type: 'refresh_token' }) },
    client: { secretId: null, label: 'Shop' },
  } as ConnectionContext;
  const connections = { get: async () => context.connection, context: async () => context };
  return {
    registry: { connections: connections as unknown as Registry['connections'] },
    vault: { latest: () => Promise.reject(new DurableOAuthError(code)) } as unknown as Vault,
    catalogue: createCatalogue([{ name: 'generic', title: 'Generic' }]),
    authorizationServer: { identify: () => Promise.reject(new Error('not asked')) },
  };
}
const env = () => new MockActivityEnvironment({}, quiet);
const recover = (code: ErrorCode): Promise<unknown> =>
  env().run(createRecoverRefresh(depsWith(code)), { v: 1 as const, ref: REF, grant: 'gr_1', generation: 3 });
const load = (code: ErrorCode): Promise<unknown> =>
  env().run(createLoadConnection(depsWith(code)), { v: 1 as const, ref: REF });

it.each([
  ['VAULT_CORRUPT', true],
  ['VAULT_GONE', true],
  ['VAULT_UNAVAILABLE', false],
] as const)('looking what became of a refresh: %s is final: %s', async (code, nonRetryable) => {
  await expect(recover(code)).rejects.toMatchObject({ type: code, nonRetryable });
});

it.each(['VAULT_CORRUPT', 'VAULT_GONE', 'VAULT_MISSING'] as const)(
  'an entry that is %s loads as no token',
  async (code) => {
    const found = (await load(code)) as Record<string, unknown>;
    expect(found).toMatchObject({ known: true, state: 'active', grant: 'gr_1', generation: 3 });
    expect(found['token']).toBeUndefined();
  },
);

it('a vault that is away is waited for', async () => {
  await expect(load('VAULT_UNAVAILABLE')).rejects.toMatchObject({ type: 'VAULT_UNAVAILABLE', nonRetryable: false });
});
