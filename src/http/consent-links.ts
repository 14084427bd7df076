/** Consent links: 256 random bits in a URL; only their SHA-256 is stored. */
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { Caller } from '../client/contract';
import { sha256 } from '../client/cookies';
import { idFrom } from '../connection/ids';
import type { ConnectionRef } from '../connection/types';
import type { AppDeps } from './deps';
import { ProblemError } from './problem';
import type { consentLink } from './schemas/consent-link';
import { isReturnTarget } from './urls';

const DAY_MS = 86_400_000;
const DEFAULT_LIFE_MS = 7 * DAY_MS;
const LONGEST_LIFE_MS = 30 * DAY_MS;

/**
 * Make a link that lets a person grant access.
 * @throws ProblemError when `return_to` is not one of the return origins, or `expires_at` not within 30 days
 */
export async function createConsentLink(
  { registry, config }: Pick<AppDeps, 'registry' | 'config'>,
  ref: ConnectionRef,
  caller: Caller,
  ask: { readonly return_to?: string; readonly expires_at?: string } = {},
): Promise<z.output<typeof consentLink>> {
  if (ask.return_to !== undefined && !isReturnTarget(ask.return_to, config.returnOrigins)) {
    throw refused('return_to', 'Must be an absolute https URL whose origin is one of the return origins');
  }
  const expiresAt = expiry(ask.expires_at);
  const id = idFrom('cl', randomBytes(17));
  const token = randomBytes(32).toString('base64url');
  await registry.consentLinks.create({
    ...ref,
    id,
    tokenHash: sha256(token),
    createdBy: caller.by,
    expiresAt,
    returnTo: ask.return_to,
  });
  await registry.events.append(ref.tenant, ref.connection, {
    type: 'consent_link.created',
    ...caller,
    facts: { link: id },
  });
  return {
    type: 'consent-link',
    id,
    attributes: { url: `${config.publicUrl}/oauth/start/${token}`, expires_at: expiresAt },
  };
}

function expiry(asked: string | undefined): string {
  const now = Date.now();
  const at = asked === undefined ? now + DEFAULT_LIFE_MS : Date.parse(asked);
  if (at <= now || at > now + LONGEST_LIFE_MS) throw refused('expires_at', 'Must be within the next 30 days');
  return new Date(at).toISOString();
}

function refused(attribute: string, detail: string): ProblemError {
  return new ProblemError([{ code: 'MEMBER_INVALID', detail, pointer: `/data/attributes/${attribute}` }]);
}
