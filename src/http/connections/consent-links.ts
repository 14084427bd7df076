/** Consent links: 256 random bits in a URL; only their SHA-256 is stored. */
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { Caller, Consents } from '../../client/contract';
import { sha256 } from '../../client/cookies';
import { DAY, HOUR, MINUTE } from '../../connection/clocks';
import { idFrom } from '../../connection/ids';
import type { ConsentMode } from '../../connection/messages';
import type { ConnectionRef } from '../../connection/types';
import type { Principal } from '../access/auth';
import type { AppDeps } from '../deps';
import { ProblemError, type Problem } from '../problem';
import type { consentLink, ConsentLinkAttributes } from '../schemas/consent-link';
import { isReturnTarget } from '../urls';

/** How long a link lives by default, and at most. A link for somebody who is signed in is opened at once. */
const LIFE: Readonly<Record<ConsentMode, { readonly usual: number; readonly longest: number; readonly said: string }>> =
  {
    link: { usual: 7 * DAY, longest: 30 * DAY, said: '30 days' },
    session: { usual: 10 * MINUTE, longest: HOUR, said: 'hour' },
    handback: { usual: 10 * MINUTE, longest: HOUR, said: 'hour' },
  };

/** What the application's own URL may not hold: we append it. */
const APPENDED = ['consent', 'confirmation_code'];

export type LinkTerms = ConsentLinkAttributes & {
  /** Who may confirm, in every mode but `link`. */
  readonly confirmerHash?: string;
};

/**
 * Make a link that lets a person grant access.
 * @throws ProblemError when `return_to` is missing or not one of the return origins, `end_user_id` does not belong to the
 *   mode, or `expires_at` is too far away
 */
export async function createConsentLink(
  { registry, config }: Pick<AppDeps, 'registry' | 'config'>,
  ref: ConnectionRef,
  caller: Caller,
  terms: LinkTerms = { mode: 'link' },
): Promise<z.output<typeof consentLink>> {
  const { mode, return_to: returnTo, confirmerHash } = terms;
  const expiresAt = expiryOf(terms);
  const problems = [...returnProblems(terms, config.returnOrigins), ...endUserProblems(terms)];
  if (expiresAt === undefined) problems.push(refused('expires_at', `Must be within the next ${LIFE[mode].said}`));
  if (problems.length > 0 || expiresAt === undefined) throw new ProblemError(problems);
  const id = idFrom('cl', randomBytes(17));
  const token = randomBytes(32).toString('base64url');
  await registry.consentLinks.create({
    ...ref,
    id,
    tokenHash: sha256(token),
    createdBy: caller.by,
    expiresAt,
    returnTo,
    mode,
    confirmerHash,
  });
  await registry.events.append(ref.tenant, ref.connection, {
    type: 'consent_link.created',
    ...caller,
    facts: { link: id, mode },
  });
  return {
    type: 'consent-link',
    id,
    attributes: { url: `${config.publicUrl}/oauth/start/${token}`, mode, expires_at: expiresAt },
  };
}

/** @returns who may confirm; of an end user's id only this hash goes any further. @throws VAULT_UNAVAILABLE */
export async function confirmerHashOf(
  consents: Pick<Consents, 'confirmerHash'>,
  ref: ConnectionRef,
  principal: Principal,
  { mode, end_user_id: endUserId }: ConsentLinkAttributes,
): Promise<string | undefined> {
  if (mode === 'session') return consents.confirmerHash(ref, { principal });
  if (mode === 'handback' && endUserId !== undefined) return consents.confirmerHash(ref, { endUserId });
  return undefined;
}

function expiryOf({ mode, expires_at }: ConsentLinkAttributes): string | undefined {
  const now = Date.now();
  const at = expires_at === undefined ? now + LIFE[mode].usual : Date.parse(expires_at);
  return at <= now || at > now + LIFE[mode].longest ? undefined : new Date(at).toISOString();
}

function returnProblems({ mode, return_to }: ConsentLinkAttributes, origins: readonly string[]): Problem[] {
  if (return_to === undefined) return mode === 'link' ? [] : [missing('return_to')];
  if (!isReturnTarget(return_to, origins)) {
    return [refused('return_to', 'Must be an absolute https URL whose origin is one of the return origins')];
  }
  const { searchParams } = new URL(return_to);
  const taken = mode === 'link' ? undefined : APPENDED.find((name) => searchParams.has(name));
  return taken === undefined ? [] : [refused('return_to', `Must not hold the query parameter ${taken}`)];
}

function endUserProblems({ mode, end_user_id }: ConsentLinkAttributes): Problem[] {
  if (mode === 'handback') return end_user_id === undefined ? [missing('end_user_id')] : [];
  return end_user_id === undefined ? [] : [refused('end_user_id', 'Belongs to the mode handback only')];
}

const pointerTo = (attribute: string): string => `/data/attributes/${attribute}`;

/** Not required by every mode, so it is no fault of the document's form. */
const missing = (attribute: string): Problem => ({
  code: 'MEMBER_MISSING',
  status: 422,
  detail: 'This mode requires it',
  pointer: pointerTo(attribute),
});

const refused = (attribute: string, detail: string): Problem => ({
  code: 'MEMBER_INVALID',
  detail,
  pointer: pointerTo(attribute),
});
