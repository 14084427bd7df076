/** What of a provider's answer may be told: codes, ids and times, each of a shape that no token and no prose has. */

/** Longer pauses are the provider's wish, but an hour is when we look again anyway. */
const RETRY_AFTER_CAP_SECONDS = 3_600;

/** Words of letters with a number at their end, without hyphens: tokens change between letters and digits more often. */
const CODE = /^\d{0,3}[a-z]{0,24}\d{0,8}(?:[_.]\d{0,3}[a-z]{0,24}\d{0,8})*$/;

/** @returns the error code in lower case; undefined for anything that does not look like one */
export function cleanCode(error: string | undefined): string | undefined {
  const code = error?.toLowerCase();
  return code !== undefined && code !== '' && code.length <= 64 && CODE.test(code) ? code : undefined;
}

const REQUEST_ID_HEADERS = [
  'x-request-id',
  'request-id',
  'x-ms-request-id',
  'x-amzn-requestid',
  'x-amz-request-id',
  'x-correlation-id',
  'x-trace-id',
  'cf-ray',
];

/** @returns the provider's id of the request, to quote to its support */
export function requestIdOf(headers: Readonly<Record<string, string>>): string | undefined {
  const found = REQUEST_ID_HEADERS.map((name) => headers[name]).find((value) => value !== undefined);
  return found !== undefined && /^[\w.:/=-]{1,128}$/.test(found) ? found : undefined;
}

/** @returns seconds, from seconds or a date (RFC 9110 section 10.2.3); at most an hour */
export function retryAfterOf(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\s*\d+\s*$/.test(value) ? Number(value) : (Date.parse(value) - now.getTime()) / 1_000;
  if (!Number.isFinite(seconds) || seconds <= 0) return undefined;
  return Math.min(RETRY_AFTER_CAP_SECONDS, Math.ceil(seconds));
}
