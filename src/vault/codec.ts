/** Vault secrets as plain records with their values in clear: for drivers and the envelope only, never for Temporal. */
import { z } from 'zod';
import { DurableOAuthError } from '../errors';
import { Secret, type VaultSecret } from './secret';

const confidential = z.string().transform((value) => new Secret(value));
const audience = z.array(z.string());

const schema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('token_set'),
    accessToken: confidential,
    refreshToken: confidential.optional(),
    tokenType: z.string(),
    scope: z.string(),
    issuedAt: z.string(),
    receivedAt: z.string(),
    expiresAt: z.string().nullable(),
    lifetimeSeconds: z.number().nullable(),
    account: z.object({ id: z.string(), label: z.string() }).optional(),
    grantedAt: z.string(),
    audience,
    clientId: z.string().optional(),
    apiOrigin: z.string().optional(),
  }),
  z.object({ kind: z.literal('client_secret'), clientSecret: confidential, audience }),
  z.object({ kind: z.literal('envelope_key'), privateJwk: confidential }),
  z.object({ kind: z.literal('hmac_key'), key: confidential }),
]);

/** @returns the secret as JSON-ready data, values in clear, members in a fixed order. */
export function toPlain(secret: VaultSecret): Record<string, unknown> {
  const entries = Object.entries(secret)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, unknown] => [name, value instanceof Secret ? value.reveal() : value]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws VAULT_CORRUPT when the data is no vault secret; the message names no value */
export function fromPlain(data: unknown): VaultSecret {
  const parsed = schema.safeParse(data);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new DurableOAuthError('VAULT_CORRUPT', 'A vault entry has an unknown form', { member: path });
  }
  return parsed.data;
}
