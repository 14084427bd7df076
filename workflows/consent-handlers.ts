/** What a consent can be told. The validator rejects at no cost in history; the signal ignores what it does not know. */
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { SECOND } from '../src/connection/clocks';
import {
  COMPLETE_CONSENT,
  CONFIRM_CONSENT,
  DESCRIBE_CONSENT,
  OAUTH_CALLBACK,
  type ConfirmConsent,
  type ConsentConfirmation,
  type ConsentInput,
  type ConsentReading,
  type OAuthCallback,
  type RawOAuthCallback,
} from '../src/connection/messages';
import { isByAnother, isConfirmation, isOfAnotherMode, isSameConfirmer } from './consent-confirmation';

const oauthCallbackSignal = defineSignal<[OAuthCallback | RawOAuthCallback]>(OAUTH_CALLBACK);
const completeConsentUpdate = defineUpdate<ConsentReading, [OAuthCallback]>(COMPLETE_CONSENT);
const confirmConsentUpdate = defineUpdate<ConsentReading, [ConfirmConsent]>(CONFIRM_CONSENT);
const describeConsentQuery = defineQuery<ConsentReading | undefined, [asker?: string | ConsentConfirmation]>(
  DESCRIBE_CONSENT,
);

/** How long an update waits for the outcome before the page shows "in progress". */
const ANSWER_WITHIN_MS = 20 * SECOND;

export interface Consent {
  readonly input: ConsentInput;
  reading: ConsentReading;
  /** From this attempt's own browser. */
  delivery?: OAuthCallback;
  /** Anybody may send these; the activity tells whether the state fits. */
  readonly raw: RawOAuthCallback[];
  rawSeen: number;
  /** The first confirmation that was let in. */
  confirmed?: ConfirmConsent;
}

export function registerConsentHandlers(consent: Consent): void {
  // The public contract. A browser that is not this attempt's, a second delivery and junk change nothing.
  setHandler(
    oauthCallbackSignal,
    (message) => {
      if (isDelivery(consent, message)) consent.delivery = message;
      else if (isRaw(message) && consent.rawSeen++ < RAW_TRIES) consent.raw.push(message);
    },
    {
      description:
        'The provider sent the browser back: { v: 1, browser, code: <JWE>, iss? } or { v: 1, browser, error }.',
    },
  );
  setHandler(
    completeConsentUpdate,
    async (message) => {
      consent.delivery = message;
      await condition(() => !PENDING.includes(consent.reading.stage), ANSWER_WITHIN_MS);
      return consent.reading;
    },
    {
      description: 'Same delivery as oauthCallback, and waits for the outcome.',
      validator: (message) => {
        if (!isDelivery(consent, message)) throw refusal('No consent of this browser waits for a callback');
      },
    },
  );
  setHandler(
    confirmConsentUpdate,
    async (message) => {
      consent.confirmed ??= message;
      // One task may let two in: the first counts, and another confirmer hears nothing of its outcome.
      if (!isSameConfirmer(consent.confirmed, message)) throw refusal(NOTHING_WAITS);
      await condition(
        () => consent.reading.stage === 'connected' || consent.reading.stage === 'failed',
        ANSWER_WITHIN_MS,
      );
      return consent.reading;
    },
    {
      description: 'The same browser confirms the account; in modes session and handback its application does.',
      validator: (message) => {
        const waits = consent.reading.stage === 'waiting_for_confirmation';
        if (!waits || !isConfirmation(consent.input, message)) throw refusal(NOTHING_WAITS);
        if (isOfAnotherMode(consent.input, message)) throw otherMode(consent.input);
      },
    },
  );
  setHandler(
    describeConsentQuery,
    // A page asks for its browser, an application for what it confirmed; an operator for neither.
    (asker) => (asker === undefined || isShown(consent, asker) ? consent.reading : undefined),
    { description: 'App, account, permissions, stage.' },
  );
}

const PENDING: readonly ConsentReading['stage'][] = ['waiting_for_callback', 'exchanging'];

const NOTHING_WAITS = 'No consent of this browser waits for a confirmation';

/** How many raw deliveries are looked at: a wrong state costs an activity, and nobody may make us run thousands. */
const RAW_TRIES = 5;

function isShown({ input }: Consent, asker: string | ConsentConfirmation): boolean {
  if (typeof asker === 'string') return asker === input.browser;
  return isConfirmation(input, asker) && !isByAnother(input, asker);
}

/** The browser's own delivery is taken while a raw one is being looked at: junk must not displace it. */
function isDelivery(consent: Consent, message: unknown): message is OAuthCallback {
  if (consent.delivery !== undefined || !PENDING.includes(consent.reading.stage)) return false;
  if (typeof message !== 'object' || message === null) return false;
  const { v, browser, code, error, iss } = message as Record<string, unknown>;
  if (v !== 1 || browser !== consent.input.browser || (iss !== undefined && typeof iss !== 'string')) return false;
  return typeof code === 'string' || typeof error === 'string';
}

/** Whether a raw code is accepted is a setting of the worker, and the activity checks the state (RFC 6749 10.12). */
function isRaw(message: unknown): message is RawOAuthCallback {
  if (typeof message !== 'object' || message === null || 'browser' in message) return false;
  const { code, state, iss } = message as Record<string, unknown>;
  return typeof code === 'string' && typeof state === 'string' && (iss === undefined || typeof iss === 'string');
}

const refusal = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, 'NOT_FOUND');

const otherMode = ({ mode }: ConsentInput): ApplicationFailure =>
  mode === 'handback'
    ? ApplicationFailure.nonRetryable('An end user confirms this consent', 'MEMBER_MISSING')
    : ApplicationFailure.nonRetryable('No end user confirms this consent', 'MEMBER_INVALID');
