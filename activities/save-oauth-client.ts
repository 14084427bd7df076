/** The steps of saving an OAuth client for a component: reserve its place, store its secret, publish; or undo. */
import { clientSecretRef } from '../src/connection/ids';
import { originIn } from '../src/connection/messages';
import type { Opener } from '../src/envelope';
import { DurableOAuthError } from '../src/errors';
import type { Fingerprint } from '../src/fingerprint';
import type { Registry } from '../src/registry/contract';
import type { Vault } from '../src/vault/port';
import { Secret } from '../src/vault/secret';
import type { DurableOAuthActivities } from './contract';
import { behindBoundary, untilDone } from './failure';

export interface SaveClientDeps {
  readonly vault: Vault;
  readonly registry: Pick<Registry, 'oauthClients'>;
  readonly opener: Opener;
  readonly fingerprint: Fingerprint;
}

/** Hex digits that are shown of a secret's HMAC (C14). */
const SHOWN_DIGITS = 8;

/**
 * Take the place of (tenant, component), seen by nobody, or begin the change of a published client; either way the secret
 * is named before it is stored. Fails with ALREADY_EXISTS when the place is taken, NOT_FOUND when component or client is
 * not there for this tenant, IN_USE when env vars hold credentials of a global one, PRECONDITION_FAILED when the client is
 * not the one that was to be changed; nothing was written then.
 */
export function createReserveOAuthClient(deps: SaveClientDeps): DurableOAuthActivities['reserveOAuthClient'] {
  return (input) =>
    behindBoundary(async () => {
      const { tenant, client: id, component, clientId, secret, legacy, update, base } = input;
      if (update) await deps.registry.oauthClients.prepareChange({ tenant, id, secret, base });
      else await deps.registry.oauthClients.reserve({ tenant, id, component, clientId, secret, legacy });
      return { v: 1 };
    });
}

/**
 * Put the sealed secret into the vault, for the origins its endpoints have now. It is named by a row first: whatever ends
 * the workflow, what is stored can be found.
 * @returns what tells people which secret is stored
 * Fails with VAULT_UNAVAILABLE, ENVELOPE_UNREADABLE, NOT_FOUND when the client is gone.
 */
export function createStoreClientSecret(deps: SaveClientDeps): DurableOAuthActivities['storeClientSecret'] {
  return (input) =>
    behindBoundary(async () => {
      const { tenant, client, secret, sealed, audience } = input;
      const clientSecret = await openClientSecret(deps.opener, sealed);
      await deps.vault.checkWritable();
      await deps.registry.oauthClients.nameSecret(tenant, client, secret);
      await deps.vault.put(clientSecretRef(tenant, client, secret), 1, {
        kind: 'client_secret',
        clientSecret,
        audience,
      });
      const hmac = await deps.fingerprint(new Secret(`client_secret ${clientSecret.reveal()}`));
      return { v: 1, fingerprint: Buffer.from(hmac, 'base64url').toString('hex').slice(0, SHOWN_DIGITS) };
    });
}

/** @throws ENVELOPE_UNREADABLE, VAULT_UNAVAILABLE */
export async function openClientSecret(opener: Opener, sealed: string): Promise<Secret> {
  const { client_secret: text } = await opener.open('client', sealed);
  if (typeof text !== 'string') throw new DurableOAuthError('ENVELOPE_UNREADABLE', 'The envelope holds no secret');
  return new Secret(text);
}

/**
 * Make the client, or its changes, visible. Repeated until it succeeds; repeating is harmless. A final failure (NOT_FOUND,
 * ALREADY_EXISTS, IN_USE, PRECONDITION_FAILED) means that nothing was published.
 */
export function createPublishOAuthClient(deps: SaveClientDeps): DurableOAuthActivities['publishOAuthClient'] {
  return (input) =>
    untilDone(['NOT_FOUND', 'ALREADY_EXISTS', 'IN_USE', 'PRECONDITION_FAILED'], async () => {
      const { tenant, client, component, clientId, secret, fingerprint, update, base } = input;
      await deps.registry.oauthClients.publish({
        tenant,
        id: client,
        component,
        clientId,
        secret: { id: secret, fingerprint },
        base,
        event: {
          type: update ? 'oauth_client.changed' : 'oauth_client.created',
          ...originIn(input),
          facts: { oauth_client: client, component, client_id: clientId, client_secret_fingerprint: fingerprint },
        },
      });
      return { v: 1 };
    });
}

/** Destroy what was stored and give the reserved place back. Repeated until it succeeds; twice is fine. */
export function createUndoOAuthClient(deps: SaveClientDeps): DurableOAuthActivities['undoOAuthClient'] {
  return (input) =>
    untilDone([], async () => {
      const { tenant, client, secret } = input;
      await deps.vault.destroy(clientSecretRef(tenant, client, secret));
      await deps.registry.oauthClients.abandon(tenant, client, secret);
      return { v: 1 };
    });
}
