/** How long a consent may be under way, and so how long what a deleted client revokes with must be kept. */
import { patched, setCurrentDetails, sleep } from '@temporalio/workflow';
import { MINUTE } from '../src/connection/clocks';
import type { Tuning } from '../src/connection/messages';
import { minute } from '../src/connection/wording';
import { REVOKE_WITHIN_MS, SINGLE_SEND_MS } from './policies';

const WAIT_MS = 10 * MINUTE;
/** Deletions that began without it destroy the secret at once. */
const CONSENTS_END_FIRST = 'consents-end-first';

/** How long a consent waits for the callback, and again for the confirmation. */
export const consentWaitMs = (tuning: Tuning | undefined): number => tuning?.consentMs ?? WAIT_MS;

/** Callback, exchange, confirmation; then the grant is adopted, or revoked as one that nobody uses. */
const consentLifeMs = (tuning: Tuning | undefined): number =>
  tuning?.consentLifeMs ?? 2 * consentWaitMs(tuning) + SINGLE_SEND_MS + REVOKE_WITHIN_MS.refused;

/**
 * Wait until no consent can be under way any more that began no later than `attemptedAt`: what it was granted is revoked
 * with the client's secret.
 * @param what is deleted, for people
 * @param attemptedAt when the last attempt began, ISO 8601; undefined = there was none
 */
export async function outliveConsents(
  what: string,
  attemptedAt: string | undefined,
  tuning: Tuning | undefined,
): Promise<void> {
  if (attemptedAt === undefined || !patched(CONSENTS_END_FIRST)) return;
  const until = Date.parse(attemptedAt) + consentLifeMs(tuning);
  const left = until - Date.now();
  if (left <= 0) return;
  const kept = `Its client secret is kept until ${minute(new Date(until).toISOString())}`;
  setCurrentDetails(
    `**${what} is deleted**, and its connections are revoked. ${kept}: a consent that began before may be under way, and ` +
      'what nobody confirms, or confirms too late, is revoked with it.',
  );
  await sleep(left, { summary: `${kept} for consents under way` });
  setCurrentDetails(`**${what} is deleted.** No consent is under way; its client secret is destroyed.`);
}
