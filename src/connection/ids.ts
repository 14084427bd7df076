/** Ids of ours, and the strings made of them: workflow ids and vault refs. */
import { DurableOAuthError } from '../errors';
import type { ConnectionRef } from './types';

/** Ids are made before the thing exists. Ours are a prefix and 26 lower-case base32 characters; people choose others. */
export const ID = /^[a-z0-9_-]{1,64}$/;

export type IdPrefix = 'cn' | 'in' | 'oc' | 'cs' | 'cl' | 'gr' | 'sec' | 'ev' | 'pr' | 'ek' | 'cp' | 'fl' | 'rg' | 'pv';

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

/** Whether the name of a preset is that of a tenant's own provider; a shipped one must not be called so. */
export const isOwnProvider = (preset: string): boolean => preset.startsWith('pv_');

/** @returns `<prefix>_<26 base32 characters>` from 17 random bytes (130 bits used of 136). */
export function idFrom(prefix: IdPrefix, random: Uint8Array): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of random) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5 && text.length < 26) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31];
    }
  }
  return `${prefix}_${text}`;
}

/** @returns the one string that names a connection everywhere: `<tenant>/<connection>`. */
export function formatRef(ref: ConnectionRef): string {
  return `${ref.tenant}/${ref.connection}`;
}

/** @throws SYNTAX_INVALID when the text is not `<tenant>/<connection>`. */
export function parseRef(text: string): ConnectionRef {
  const [tenant, connection, ...rest] = text.split('/');
  if (rest.length > 0 || !isId(tenant) || !isId(connection)) {
    throw new DurableOAuthError('SYNTAX_INVALID', 'A connection is named <tenant>/<connection>', {
      given: text.slice(0, 140),
    });
  }
  return { tenant, connection };
}

export const connectionWorkflowId = (ref: ConnectionRef): string => `connection/${formatRef(ref)}`;
export const saveWorkflowId = (tenant: string, integration: string): string => `save/${tenant}/${integration}`;
export const changeWorkflowId = (tenant: string, integration: string): string => `change/${tenant}/${integration}`;
export const oauthClientWorkflowId = (tenant: string, client: string): string => `oauth-client/${tenant}/${client}`;
export const retireWorkflowId = (tenant: string, client: string, remove: boolean): string =>
  `${oauthClientWorkflowId(tenant, client)}/${remove ? 'remove' : 'disconnect'}`;
export const retireIntegrationWorkflowId = (tenant: string, integration: string): string =>
  `integration/${tenant}/${integration}/remove`;
/** @param stateHash base64url(sha256(oauthState)) */
export const consentWorkflowId = (stateHash: string): string => `consent/${stateHash}`;

/** Vault ref of a client secret. The OAuth client's registry row names the current secret id. */
export const clientSecretRef = (tenant: string, client: string, secret: string): string =>
  `client/${tenant}/${client}/${secret}`;
/** Vault ref of a grant's token sets; each refresh is the next generation of the same ref. */
export const grantRef = (ref: ConnectionRef, grant: string): string => `grant/${ref.tenant}/${ref.connection}/${grant}`;
export const FINGERPRINT_KEY_REF = 'system/fingerprint/key';
export const envelopeKeyRef = (kid: string): string => `system/envelope/${kid}`;

export const TASK_QUEUE = 'durable-oauth';
export const REQUESTS_TASK_QUEUE = 'durable-oauth-requests';
