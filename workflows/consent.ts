/**
 * `consentWorkflow`: one execution is one attempt of one browser, id `consent/<base64url(sha256(oauthState))>`.
 *
 * It waits 10 minutes for the provider's redirect, exchanges the code, lets the same browser confirm the account within
 * another 10 minutes, uses the link up, and hands the grant over. Modes `session` and `handback` take the confirmation from the
 * application that knows who is signed in in that browser; for anybody else than the link was made for it ends the attempt.
 * Until confirmed the new grant is known to nobody; left alone it is destroyed, and revoked where that concerns it alone. It
 * ends with its outcome, so a second delivery finds nobody.
 */
import { allHandlersFinished, CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import {
  originIn,
  type ConsentInput,
  type ConsentReading,
  type GrantReady,
  type Origin,
} from '../src/connection/messages';
import { isByAnother } from './consent-confirmation';
import { discard, move, obtain, show, store } from './consent-exchange';
import { registerConsentHandlers, type Consent } from './consent-handlers';
import { consentWaitMs } from './consent-life';
import { outcomeOf } from './failures';
import { run } from './run-activity';

export async function consentWorkflow(input: ConsentInput): Promise<ConsentReading> {
  const consent: Consent = {
    input,
    reading: {
      v: 1,
      ref: input.ref,
      consent: input.consent,
      mode: input.mode,
      stage: 'waiting_for_callback',
      app: '',
      scope: input.scope,
      returnTo: input.returnTo,
      lang: input.lang,
    },
    raw: [],
    rawSeen: 0,
  };
  registerConsentHandlers(consent);
  show(consent);
  // Whoever cancels this run must not leave a grant behind that nobody knows.
  await CancellationScope.nonCancellable(() => attempt(consent));
  await record(consent, consent.reading.stage === 'connected' ? 'connected' : 'failed');
  await condition(allHandlersFinished);
  return consent.reading;
}

async function attempt(consent: Consent): Promise<void> {
  const waitMs = consentWaitMs(consent.input.tuning);
  const exchanged = await obtain(consent, Date.now() + waitMs);
  if (exchanged === undefined) return;
  const { account, sameAccount } = exchanged;
  move(consent, {
    stage: 'waiting_for_confirmation',
    app: exchanged.app,
    account: account?.label,
    sameAccount,
    scope: exchanged.scope,
  });
  if (exchanged.kind === 'escrow' && !(await store(consent, exchanged.sealed))) return;

  const confirmer = consent.input.mode === 'link' ? 'the same browser' : 'the application';
  const summary = `Confirmation by ${confirmer} (${consent.input.ref})`;
  if (!(await condition(() => consent.confirmed !== undefined, waitMs, { summary }))) {
    // First here and below: people wait for the outcome, and a provider may keep the revocation waiting for days.
    move(consent, { stage: 'failed', code: 'CONSENT_NOT_COMPLETED', detail: 'expired' });
    return discard(consent);
  }
  if (consent.confirmed && isByAnother(consent.input, consent.confirmed)) {
    move(consent, { stage: 'failed', code: 'CONSENT_NOT_COMPLETED', detail: 'other_user' });
    return discard(consent);
  }
  move(consent, { stage: 'handing_over' });
  if (!(await completeLink(consent))) {
    move(consent, { stage: 'failed', code: 'CONSENT_NOT_COMPLETED', detail: 'used' });
    return discard(consent);
  }
  const { ref, consent: id } = consent.input;
  const origin = originOf(consent);
  const message: GrantReady =
    exchanged.kind === 'keep'
      ? { v: 1, consent: id, keep: true, ...origin }
      : { v: 1, consent: id, grant: id, generation: 1, ...origin };
  await run('handOverGrant', `Hand the grant over to ${ref}`, { v: 1, ref, message, tuning: consent.input.tuning });
  move(consent, { stage: 'connected' });
}

/** @returns false when another attempt of the same link was confirmed first */
async function completeLink({ input: { ref, consent, link } }: Consent): Promise<boolean> {
  if (link === undefined) return true;
  const { used } = await run('completeConsentLink', `Use the consent link up (${ref})`, { v: 1, ref, consent, link });
  return used;
}

/** Who confirmed by API; a browser acts for whoever made its link. */
function originOf({ input: { by = 'end user' }, confirmed }: Consent): Origin {
  if (confirmed && 'by' in confirmed) return originIn(confirmed);
  return { by, traceId: workflowInfo().runId };
}

async function record(consent: Consent, outcome: 'connected' | 'failed'): Promise<void> {
  const { ref, consent: id } = consent.input;
  try {
    await run('recordConsent', `Record: consent ${outcome}`, {
      v: 1,
      ref,
      consent: id,
      outcome,
      code: consent.reading.code,
      detail: consent.reading.detail,
      ...originOf(consent),
    });
  } catch (error) {
    outcomeOf(error);
  }
}
