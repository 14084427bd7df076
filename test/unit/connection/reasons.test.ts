import { ERRORS, type ErrorCode } from '../../../src/errors';
import {
  FALLBACKS,
  LANGS,
  OTHER_REASON,
  REASONS,
  REMEDIES,
  STATES,
  type Lang,
  type Reason,
} from '../../../src/connection/reasons';
import { CONNECTION_STATES } from '../../../src/connection/types';
import * as words from '../../../src/connection/words';
import { fill, wordReason, wordState, type Values } from '../../../src/connection/wording';

const reasons = Object.entries(REASONS) as [ErrorCode, Reason][];

/** Codes that are no reason of a connection: they answer requests, or name a part we stand on. */
const NO_REASON =
  /^(SYNTAX|MEMBER|SECRET|UNAUTH|FORBIDDEN|NOT_|METHOD|TYPE_|ALREADY|SAVE_IN|IN_USE|IDEMPOTENCY|PRECONDITION|OAUTH_CLIENT_MISSING|PAYLOAD|MEDIA|REDIRECT_URI_NOT|TOO_MANY|INTERNAL|CONSENT_NEEDED|TOKEN_NOT|ORIGIN|PROVIDER_ANSWERED|ANSWER_|VAULT|REGISTRY|TEMPORAL|ENVELOPE|CONFIGURATION)/;

const full: Values = Object.fromEntries(
  'app account owner by client connections flows until since next_attempt expired_on uri missing evidence steps at'
    .split(' ')
    .map((name) => [name, `<${name}>`]),
);

/** Every text of a table, by its path. */
function texts(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, child]) => texts(child, `${path}/${name}`));
}

const placeholders = (text: string): string[] => [...text.matchAll(/\{[a-z_]+\}/g)].map(String).sort();

describe('the reason table', () => {
  it('has a row for every code of the error table that a connection, a save or a consent can carry', () => {
    const carried = Object.keys(ERRORS).filter((code) => !NO_REASON.test(code));
    expect(Object.keys(REASONS).sort()).toEqual(carried.sort());
  });

  it('has a text for every state', () => {
    expect(Object.keys(STATES).sort()).toEqual([...CONNECTION_STATES].sort());
  });

  const bilingual: [string, Record<Lang, unknown>][] = [
    ...reasons,
    ...Object.entries(STATES),
    ...Object.entries(REMEDIES).map(([preset, text]): [string, Record<Lang, unknown>] => [`remedy ${preset}`, text]),
    ['other', OTHER_REASON],
    ['fallbacks', FALLBACKS],
    ...Object.entries(words),
  ];

  it.each(bilingual)('%s says the same things, and names the same things, in both languages', (_code, row) => {
    const [en, es] = LANGS.map((lang) => texts(row[lang]));
    expect(es?.map(([path]) => path)).toEqual(en?.map(([path]) => path));
    expect(es?.map(([, text]) => placeholders(text))).toEqual(en?.map(([, text]) => placeholders(text)));
    for (const [path, text] of en ?? []) expect({ path, text: text.trim() }).not.toEqual({ path, text: '' });
  });

  it.each(LANGS)('004-21 every state and reason has a reason, an effect and a next step in words (%s)', (lang) => {
    const choices = { fallback: 'pause', detail: 'declined' } as const;
    const rows = [
      ...CONNECTION_STATES.map((state) => wordState(state, lang, full, choices)),
      ...reasons.map(([code]) => wordReason(code, lang, full, choices)),
    ];
    for (const row of rows) {
      for (const text of [row.reason, row.effect, row.next]) {
        expect(text).not.toBe('');
        expect(text).not.toMatch(/\{|\}|undefined|null/);
        // Words in capitals with an underscore are codes of ours.
        expect(text).not.toMatch(/\b[A-Z]+_[A-Z_]+\b/);
      }
    }
  });
});

describe('a text', () => {
  it('leaves out a sentence whose placeholder is unknown, whole', () => {
    expect(fill('{flows} flows wait. Data stays.', {})).toBe('Data stays.');
    expect(fill('Ask {owner}. Quote {evidence}.', { owner: 'Ann' })).toBe('Ask Ann.');
  });

  it('never prints a placeholder raw, whatever is unknown', () => {
    for (const lang of LANGS) {
      for (const [code] of reasons) expect(JSON.stringify(wordReason(code, lang, {}))).not.toMatch(/\{[a-z_]+\}/);
      for (const state of CONNECTION_STATES)
        expect(JSON.stringify(wordState(state, lang, {}))).not.toMatch(/\{[a-z_]+\}/);
    }
  });

  it('shows the remedy of the preset that has one of its own', () => {
    const remedy = (preset: string): string => wordReason('REFRESH_TOKEN_MISSING', 'en', full, { preset }).next;
    expect(remedy('microsoft')).toContain('offline_access');
    expect(remedy('generic')).toContain('Remove this application');
  });
});
