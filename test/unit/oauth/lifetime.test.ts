import { parseLifetime, shortenByJwt } from '../../../src/oauth/lifetime';

const ISSUED = new Date('2026-11-20T10:00:00Z');
const EPOCH_S = ISSUED.getTime() / 1_000;
const TEN_YEARS = 3_650 * 86_400;

type Unit = Parameters<typeof parseLifetime>[1];
type Row = [value: unknown, unit: Unit, seconds: number | null, ...warnings: string[]];

const TABLE: Row[] = [
  [3600, 's', 3600],
  ['3600', 's', 3600],
  [' 3600 ', 's', 3600],
  [3599.9, 's', 3599],
  ['3599.9', 's', 3599],
  [undefined, 's', null],
  [null, 's', null],
  ['', 's', null],
  [0, 's', null, 'LIFETIME_NOT_POSITIVE'],
  ['0', 's', null, 'LIFETIME_NOT_POSITIVE'],
  [0.4, 's', null, 'LIFETIME_NOT_POSITIVE'],
  [-1, 's', null, 'LIFETIME_NOT_POSITIVE'],
  ['-3600', 's', null, 'LIFETIME_NOT_POSITIVE'],
  [true, 's', null, 'LIFETIME_UNREADABLE'],
  [false, 's', null, 'LIFETIME_UNREADABLE'],
  [{ seconds: 3600 }, 's', null, 'LIFETIME_UNREADABLE'],
  [[3600], 's', null, 'LIFETIME_UNREADABLE'],
  ['one hour', 's', null, 'LIFETIME_UNREADABLE'],
  ['3600s', 's', null, 'LIFETIME_UNREADABLE'],
  ['0x10', 's', null, 'LIFETIME_UNREADABLE'],
  ['1e3', 's', null, 'LIFETIME_UNREADABLE'],
  [Number.NaN, 's', null, 'LIFETIME_UNREADABLE'],
  [Infinity, 's', null, 'LIFETIME_UNREADABLE'],
  [TEN_YEARS, 's', TEN_YEARS],
  [TEN_YEARS + 1, 's', TEN_YEARS, 'LIFETIME_ABSURD'],
  [EPOCH_S + 3600, 's', TEN_YEARS, 'LIFETIME_ABSURD'],
  [1e300, 's', TEN_YEARS, 'LIFETIME_ABSURD'],
  [7_200_000, 'ms', 7200],
  ['7200000', 'ms', 7200],
  [EPOCH_S + 3600, 'epoch_s', 3600],
  [String(EPOCH_S + 3600), 'epoch_s', 3600],
  [EPOCH_S - 1, 'epoch_s', null, 'LIFETIME_NOT_POSITIVE'],
  [(EPOCH_S + 3600) * 1_000, 'epoch_ms', 3600],
  ['2026-11-20T11:00:00Z', 'iso', 3600],
  ['2026-11-20T11:00:00+01:00', 'iso', null, 'LIFETIME_NOT_POSITIVE'],
  ['tomorrow', 'iso', null, 'LIFETIME_UNREADABLE'],
  [3600, 'iso', null, 'LIFETIME_UNREADABLE'],
];

it.each<Row>(TABLE)('%p in %s is %p seconds', (value, unit, seconds, ...warnings) => {
  expect(parseLifetime(value, unit, ISSUED)).toEqual({ seconds, warnings });
});

describe('001-12 a lifetime with the suffix "ms" is read the way that makes sense (C2)', () => {
  it('001-12 "7200ms", "7200" and 7200 are all two hours; "3600000ms" is one hour; junk is unknown', () => {
    const seconds = ['7200ms', '7200', 7200, '3600000ms', 'junk'].map((v) => parseLifetime(v, 's', ISSUED).seconds);
    expect(seconds).toEqual([7200, 7200, 7200, 3600, null]);
  });
  it.each<[string, number | null]>([
    ['7200ms', 7200],
    ['7200 ms', 7200],
    ['7200MS', 7200],
    ['3600000ms', 3600],
    ['86400000ms', 86_400],
    // Both readings fit: the shorter one loses nothing but a refresh.
    ['60000ms', 60],
    ['86400ms', 86],
    // Neither fits.
    ['30ms', null],
    ['90000000ms', null],
  ])('%s is %p seconds', (value, seconds) => {
    const warning = seconds === null ? 'LIFETIME_UNREADABLE' : 'LIFETIME_WITH_UNIT';
    expect(parseLifetime(value, 's', ISSUED)).toEqual({ seconds, warnings: [warning] });
  });
  it('a preset that counts in milliseconds leaves no doubt', () => {
    expect(parseLifetime('7200ms', 'ms', ISSUED)).toEqual({ seconds: 7, warnings: [] });
  });
});

describe('the exp of a JWT', () => {
  const jwt = (payload: unknown): string => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
  it.each<[string, number | null, string, number | null]>([
    ['shortens', 3600, jwt({ exp: EPOCH_S + 60 }), 60],
    ['does not prolong', 3600, jwt({ exp: EPOCH_S + 7200 }), 3600],
    ['says it when the answer does not', null, jwt({ exp: EPOCH_S + 60.7 }), 60],
    ['is not believed when past', 3600, jwt({ exp: EPOCH_S - 1 }), 3600],
    ['is not believed when absurd', null, jwt({ exp: 1e18 }), null],
    ['may be missing', 3600, jwt({}), 3600],
    ['may be junk', null, jwt({ exp: 'soon' }), null],
    ['is not looked for in what only looks like a JWT', 3600, 'a.b.c', 3600],
    ['is not looked for in opaque tokens', null, 'opaque', null],
  ])('%s', (_title, said, token, seconds) => {
    expect(shortenByJwt(said, token, ISSUED)).toBe(seconds);
  });
});
