/**
 * The one text about a connection: the query `describe`, the current details in the Temporal Web UI, the CLI, the API and
 * the pages show what is built here. Pure; markdown.
 */
import type { ErrorCode } from '../errors';
import type { HealthReading } from './messages';
import type { Lang } from './reasons';
import type { ConnectionState, Display, Evidence, Fallback, Recovery } from './types';
import { whoActs } from './who';
import { FACTS, FAILURES, HEADINGS, RECOVERIES, WHO } from './words';
import { fill, join, minute, plain, wordReason, wordState, type Values } from './wording';

/** What a reading needs; a workflow's `Carried` has it, and so has a registry row beside its integration. */
export interface HealthFacts {
  readonly state: ConnectionState;
  readonly recovery?: Recovery | null;
  readonly reason?: ErrorCode | null;
  readonly since: string;
  readonly failingSince?: string | null;
  readonly evidence?: Evidence | null;
  readonly generation: number;
  /** When the newest access was had. */
  readonly issuedAt?: string | null;
  readonly expiresAt: string | null;
  readonly nextAttemptAt: string | null;
  readonly consentDeadline?: string | null;
  readonly display: Display;
  readonly policy: { readonly fallback: Fallback };
  /** How many flows include it, where that was asked for. */
  readonly flows?: number;
}

/**
 * Describe a connection in words: state, why, what is affected, the next step and its time, who must act, evidence.
 * @param ref `<tenant>/<connection>`
 * @param now decides whether an access still lives
 */
export function describeHealth(facts: HealthFacts, ref: string, now: Date, lang: Lang): HealthReading {
  const values = valuesOf(facts, now);
  const choices = { fallback: facts.policy.fallback };
  const state = wordState(facts.state, lang, values, choices);
  const reason = facts.reason ? wordReason(facts.reason, lang, values, choices) : undefined;
  const who = whoActs(facts);
  // Nothing brings back what belonged to an integration that is gone.
  const recovery = facts.reason === 'INTEGRATION_DELETED' ? undefined : facts.recovery;
  const nextAction = join(reason?.next || (recovery ? '' : state.next), recovery ? RECOVERIES[lang][recovery] : '');
  const words = HEADINGS[lang];
  const text = [
    `**${state.label}**${reason ? `: ${reason.title}` : ''}`,
    join(state.reason, reason?.reason ?? ''),
    list([
      [words.effect, join(state.effect, reason?.effect ?? '')],
      [words.next, nextAction],
      [words.nextAttempt, facts.nextAttemptAt && minute(facts.nextAttemptAt)],
      [words.who, fill(WHO[lang][who], values)],
      [words.since, minute(facts.since)],
      [words.expires, facts.state === 'pending_consent' ? '' : values.until],
      [words.evidence, evidenceText(facts, lang)],
    ]),
  ];
  return {
    v: 1,
    ref,
    state: facts.state,
    recovery: facts.recovery ?? undefined,
    reason: facts.reason ?? undefined,
    since: facts.since,
    generation: facts.generation,
    expiresAt: facts.expiresAt,
    nextAction,
    nextActionAt: facts.nextAttemptAt ?? undefined,
    who,
    evidence: facts.evidence ?? undefined,
    title: reason?.title ?? state.label,
    text: text.filter(Boolean).join('\n\n'),
  };
}

function valuesOf(facts: HealthFacts, now: Date): Values {
  const lives = facts.expiresAt !== null && Date.parse(facts.expiresAt) > now.getTime();
  const until = facts.state === 'pending_consent' ? facts.consentDeadline : lives ? facts.expiresAt : null;
  // `active` says when the provider last accepted us; every other state since when it holds.
  const since = facts.state === 'active' ? (facts.issuedAt ?? facts.since) : (facts.failingSince ?? facts.since);
  const { app, account, owner, client } = facts.display;
  return {
    app: plain(app),
    account: account && plain(account),
    owner: owner && plain(owner),
    client: client && plain(client),
    since: minute(since),
    until: until && minute(until),
    next_attempt: facts.nextAttemptAt && minute(facts.nextAttemptAt),
    expired_on: minute(facts.since),
    evidence: facts.evidence?.id,
    flows: facts.flows?.toString(),
  };
}

function evidenceText({ evidence, reason }: HealthFacts, lang: Lang): string {
  if (!evidence) return '';
  const words = FACTS[lang];
  return [
    `${evidence.id}, ${minute(evidence.at)}: ${FAILURES[lang][evidence.class]}`,
    evidence.httpStatus && `HTTP ${evidence.httpStatus}`,
    evidence.oauthError && `${words.providerCode} "${plain(evidence.oauthError)}"`,
    `${words.attempt} ${evidence.attempt}`,
    evidence.requestId && `${words.requestId} ${plain(evidence.requestId)}`,
    reason && `${words.code} ${reason}`,
  ]
    .filter(Boolean)
    .join(', ');
}

function list(items: readonly (readonly [string, string | null | undefined])[]): string {
  return items
    .filter(([, value]) => value)
    .map(([name, value]) => `- **${name}:** ${value}`)
    .join('\n');
}
