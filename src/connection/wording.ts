/** Fills the texts of `reasons.ts`: a sentence whose placeholder is unknown is left out whole. */
import type { ErrorCode } from '../errors';
import {
  FALLBACKS,
  isReasonCode,
  OTHER_REASON,
  REASONS,
  REMEDIES,
  STATES,
  type Detail,
  type Lang,
  type Reason,
  type ReasonText,
  type StateText,
} from './reasons';
import type { ConnectionState, Fallback, Who } from './types';

/** What a text may name. An absent value is unknown. */
export type Placeholder =
  | 'app'
  | 'account'
  | 'owner'
  | 'by'
  | 'client'
  | 'connections'
  | 'flows'
  | 'until'
  | 'since'
  | 'next_attempt'
  | 'expired_on'
  | 'uri'
  | 'missing'
  | 'evidence'
  | 'steps'
  | 'at';

export type Values = Readonly<Partial<Record<Placeholder, string | null>>>;

/** Choices behind the placeholders that stand for whole sentences. */
export interface Choices {
  readonly fallback?: Fallback;
  /** Preset whose own remedy is shown; others get the default. */
  readonly preset?: string;
  readonly detail?: Detail;
}

export interface Wording {
  readonly title: string;
  readonly reason: string;
  readonly effect: string;
  readonly next: string;
  readonly who: Who;
}

const SENTENCE_END = /(?<=[.!?]|\{(?:fallback|remedy|detail)\})\s+(?=[\p{Lu}{"«¿¡])/u;
const PLACEHOLDER = /\{([a-z_]+)\}/g;

type Known = Readonly<Record<string, string | null | undefined>>;

/** @returns the sentences whose placeholders are all known, filled. */
export function fill(text: string, values: Values | Known): string {
  const known: Known = values;
  const filled = text.split(SENTENCE_END).flatMap((sentence) => {
    const names = [...sentence.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
    if (names.some((name) => !known[name])) return [];
    return [sentence.replace(PLACEHOLDER, (_whole, name: string) => known[name] ?? '')];
  });
  return filled.join(' ');
}

/** Title, reason, effect and next step of a code, in one language; a code without a row gets the text for our own defects. */
export function wordReason(code: ErrorCode, lang: Lang, values: Values, choices: Choices = {}): Wording {
  const row: Reason = isReasonCode(code) ? REASONS[code] : OTHER_REASON;
  const { title, reason, effect, next, detail } = row[lang];
  const known = { ...values, ...wholeSentences(lang, values, choices, detail) };
  return {
    title: fill(title, known),
    reason: fill(reason, known),
    effect: fill(effect, known),
    next: fill(next, known),
    who: row.who,
  };
}

/** The same for a state. */
export function wordState(state: ConnectionState, lang: Lang, values: Values, choices: Choices = {}): StateText {
  const { label, reason, effect, next } = STATES[state][lang];
  const known = { ...values, ...wholeSentences(lang, values, choices) };
  return { label, reason: fill(reason, known), effect: fill(effect, known), next: fill(next, known) };
}

/** @returns both texts as one, each sentence once. */
export function join(...texts: readonly string[]): string {
  const all = texts.filter(Boolean).flatMap((text) => text.split(SENTENCE_END));
  return [...new Set(all)].join(' ');
}

function wholeSentences(
  lang: Lang,
  values: Values,
  { fallback, preset, detail }: Choices,
  details?: ReasonText['detail'],
): Known {
  const remedy = (preset === undefined ? undefined : REMEDIES[preset]) ?? REMEDIES.default;
  return {
    fallback: fallback && FALLBACKS[lang][fallback],
    remedy: fill(remedy[lang], values),
    detail: detail && details && fill(details[detail], values),
  };
}

/** @returns minutes of UTC, as shown to people: `2026-07-01 10:00 UTC`; what is no time, as it is. */
export function minute(iso: string): string {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? iso : `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Names come from people and providers: one line, nothing that markdown would turn into a link or code. */
export function plain(name: string): string {
  return name
    .replace(/[\p{Cc}\p{Cf}<>`[\]*]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 120);
}
