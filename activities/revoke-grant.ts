import { grantRef, parseRef } from '../src/connection/ids';
import type { Opener } from '../src/envelope';
import { isDurableOAuthError } from '../src/errors';
import type { AuthorizationServer } from '../src/oauth/contract';
import type { TokenSet } from '../src/vault/secret';
import { openEscrow, tokenSetOf } from './cells';
import type { DurableOAuthActivities } from './contract';
import { behindBoundary } from './failure';
import { belongsTo, contextOf, newestOf, targetIn, type ContextDeps, type GrantContext } from './grant-context';

export interface RevokeDeps extends ContextDeps {
  readonly authorizationServer: Pick<AuthorizationServer, 'revoke'>;
  readonly opener: Opener;
}

/**
 * Revoke a grant at the provider (RFC 7009): the newest refresh token, one that only stands in an escrow included, then
 * the access token. Repeating is harmless: revoking an unknown token succeeds.
 *
 * A grant that is not of record (an unconfirmed consent) is left alone where the preset says that revocation ends the
 * account's whole authorization: it would kill the working grant.
 *
 * @returns what happened at the provider
 * Fails with the classifier's codes; retried for days.
 */
export function createRevokeGrant(deps: RevokeDeps): DurableOAuthActivities['revokeGrant'] {
  return (input) =>
    behindBoundary(async () => {
      const ref = parseRef(input.ref);
      const context = await contextOf(deps, ref);
      const set = (await escrowed(deps.opener, input.sealed)) ?? (await stored());
      if (set === undefined) return { v: 1, provider: 'nothing_to_revoke' };
      // Not by a remembered row: which grant is of record decides whether the working one would be ended with this one.
      const connection = (await deps.registry.connections.get(ref)) ?? context.connection;
      const { settings } = context.integration;
      const { revocation } = settings.endpoints;
      // Nor where it was never granted: whoever is there now must not see it.
      const askable = revocation !== undefined && belongsTo(set, settings, revocation);
      if (!askable || sparesSibling({ ...context, connection }, input.grant)) {
        return { v: 1, provider: 'not_supported' };
      }
      const target = await targetIn(deps.vault, context);
      const { refreshToken, accessToken } = set;
      const first = refreshToken && (await deps.authorizationServer.revoke(target, refreshToken, 'refresh_token'));
      const second = await deps.authorizationServer.revoke(target, accessToken, 'access_token');
      return { v: 1, provider: first === 'revoked' || second === 'revoked' ? 'revoked' : 'not_supported' };

      async function stored(): Promise<TokenSet | undefined> {
        try {
          const entry = await newestOf(deps.vault, ref, input.grant);
          return entry && tokenSetOf(entry, grantRef(ref, input.grant));
        } catch (error) {
          // Destroyed by an earlier run of the same revocation.
          if (isDurableOAuthError(error, 'VAULT_GONE')) return undefined;
          throw error;
        }
      }
    });
}

async function escrowed(opener: Opener, sealed: string | undefined): Promise<TokenSet | undefined> {
  if (sealed === undefined) return undefined;
  const cells = await openEscrow(opener, sealed);
  return cells.map(({ secret }) => secret).find((secret): secret is TokenSet => secret.kind === 'token_set');
}

function sparesSibling({ connection, preset }: GrantContext, grant: string): boolean {
  const sibling = connection.grantId !== null && connection.grantId !== grant && connection.frozenAt === null;
  return sibling && preset.revocation.reach === 'grant';
}
