/** From the provider's redirect to a grant in the vault: the part of a consent that spends the code, once. */
import { condition, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { ExchangeResult } from '../activities/contract';
import { grantRef, parseRef } from '../src/connection/ids';
import type { ConsentReading } from '../src/connection/messages';
import type { ErrorCode } from '../src/errors';
import type { Consent } from './consent-handlers';
import { outcomeOf, reasonOf } from './failures';
import { run } from './run-activity';

/** Deliveries that prove nothing: the attempt goes on waiting for the browser's own. */
const JUNK: readonly ErrorCode[] = ['ENVELOPE_UNREADABLE', 'SYNTAX_INVALID'];

/** @returns undefined when the attempt failed; the reading says why */
export async function obtain(consent: Consent, deadline: number): Promise<ExchangeResult | undefined> {
  const { input } = consent;
  for (;;) {
    const left = Math.max(1, deadline - Date.now());
    const summary = `Redirect back from the provider (${input.ref})`;
    if (!(await condition(() => consent.delivery !== undefined || consent.raw.length > 0, left, { summary }))) {
      move(consent, { stage: 'failed', code: 'CONSENT_NOT_COMPLETED', detail: 'abandoned' });
      return undefined;
    }
    const delivery = consent.delivery ?? consent.raw.shift();
    if (delivery === undefined) continue;
    if ('error' in delivery) {
      move(consent, { stage: 'failed', ...refusal(delivery.error) });
      return undefined;
    }
    move(consent, { stage: 'exchanging' });
    try {
      return await run('exchangeAuthorizationCode', `Exchange the authorization code (${input.ref})`, {
        v: 1,
        ref: input.ref,
        consent: input.consent,
        clientId: input.clientId,
        tokenOrigin: input.tokenOrigin,
        issuer: input.issuer,
        redirectUri: input.redirectUri,
        scope: input.scope,
        sealed: input.sealed,
        code: delivery.code,
        state: 'state' in delivery ? delivery.state : undefined,
        iss: delivery.iss,
      });
    } catch (error) {
      const { code, heartbeat, timedOut } = outcomeOf<ExchangeResult>(error);
      // The worker died between answer and vault: the answer is kept, sealed.
      if (heartbeat) return heartbeat;
      if (!timedOut && JUNK.includes(code)) {
        if (delivery === consent.delivery) consent.delivery = undefined;
        move(consent, { stage: 'waiting_for_callback' });
        continue;
      }
      if (timedOut) await discard(consent);
      move(consent, { stage: 'failed', code: timedOut ? 'CONSENT_NOT_COMPLETED' : reasonOf(code) });
      return undefined;
    }
  }
}

/** @returns false when no key opens the answer any more: then there is nothing to confirm */
export async function store(consent: Consent, sealed: string): Promise<boolean> {
  const { ref, consent: grant } = consent.input;
  try {
    await run('storeEscrowedTokenSet', `Store the kept answer (${ref})`, { v: 1, ref, grant, sealed });
    return true;
  } catch (error) {
    const { code } = outcomeOf(error);
    await discard(consent);
    move(consent, { stage: 'failed', code: reasonOf(code) });
    return false;
  }
}

/** RFC 6749 section 4.1.2.1. */
function refusal(error: string): Pick<ConsentReading, 'code' | 'detail'> {
  if (error === 'access_denied') return { code: 'CONSENT_NOT_COMPLETED', detail: 'declined' };
  if (error === 'invalid_scope') return { code: 'SCOPE_REJECTED' };
  if (error === 'unauthorized_client') return { code: 'CLIENT_REJECTED' };
  if (error === 'server_error' || error === 'temporarily_unavailable') return { code: 'PROVIDER_UNREACHABLE' };
  return { code: 'CONSENT_NOT_COMPLETED', detail: 'declined' };
}

/** A grant nobody confirmed: revoked where that concerns it alone, destroyed in any case. */
export async function discard(consent: Consent): Promise<void> {
  const { ref, consent: grant } = consent.input;
  try {
    await run('revokeGrant', `Revoke the unconfirmed grant (${ref})`, { v: 1, ref, grant });
  } catch (error) {
    outcomeOf(error);
  }
  const parsed = parseRef(ref);
  await run('destroySecrets', 'Destroy the unconfirmed grant', {
    v: 1,
    tenant: parsed.tenant,
    refs: [grantRef(parsed, grant)],
    reason: 'not confirmed',
    by: 'system',
    traceId: workflowInfo().runId,
  });
}

export function move(consent: Consent, change: Partial<ConsentReading>): void {
  consent.reading = { ...consent.reading, ...change };
  show(consent);
}

export function show({ reading }: Consent): void {
  const why =
    reading.code === undefined ? '' : `\n\nReason: ${reading.code}${reading.detail ? ` (${reading.detail})` : ''}`;
  setCurrentDetails(`**Consent for ${reading.ref}**: ${reading.stage.replaceAll('_', ' ')}${why}`);
}
