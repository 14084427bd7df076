/** API calls with the connection's token. The token goes to the API's origin and nowhere else. */
import type { ErrorCode } from '../errors';
import type { ApiAnswer, ApiCaller, ApiRequest } from './contract';
import { OAuthFailure } from './failure';
import type { GuardOptions } from './guarded-agents';
import { createGuardedClient, type GuardedAnswer } from './guarded-client';
import { carriesToken } from './token-echo';

const REDIRECTS = 3;
const attempted = 'Calling the API';

export function createApiCaller(options: GuardOptions): ApiCaller {
  const client = createGuardedClient(options);
  return {
    async send(request, { value, preset }) {
      const { name, scheme } = preset.token_header;
      const headers = { ...request.headers, [name.toLowerCase()]: `${scheme} ${value.reveal()}`.trim() };
      const { method, body, maxBytes } = request;
      const end = Date.now() + request.timeoutMs;
      let { url } = request;
      for (let hop = 0; ; hop++) {
        const deadlineMs = Math.max(1, end - Date.now());
        const answer = await client({ method, url, headers, body, deadlineMs, maxBytes, attempted });
        const next = redirectOf(answer, request, url);
        if (next === undefined) return whole(answer, value.reveal());
        if (hop === REDIRECTS) throw withheld('ENDPOINT_BLOCKED', answer.status);
        url = next;
      }
    },
  };
}

/** Only a GET moves on, only to where the author could have gone; any other redirect is the author's answer to read. */
function redirectOf(answer: ApiAnswer, { method, mayFollow }: ApiRequest, from: string): string | undefined {
  const location = answer.headers['location'];
  if (answer.status < 300 || answer.status >= 400 || location === undefined || method !== 'GET') return undefined;
  if (!URL.canParse(location, from)) return undefined;
  const to = new URL(location, from);
  to.hash = '';
  return to.origin === new URL(from).origin && mayFollow(to.href) ? to.href : undefined;
}

function whole({ cut, ...answer }: GuardedAnswer, token: string): ApiAnswer {
  if (cut === 'lost') {
    throw new OAuthFailure(attempted, { class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN', sent: true });
  }
  if (cut === 'too_large') throw withheld('ANSWER_TOO_LARGE', answer.status);
  if (carriesToken([answer.body, ...Object.values(answer.headers)].join('\n'), token)) {
    throw withheld('ANSWER_CARRIES_TOKEN', answer.status);
  }
  return answer;
}

/** The API has done its part; its answer stays here. */
const withheld = (code: ErrorCode, httpStatus: number): OAuthFailure =>
  new OAuthFailure(attempted, { class: 'BLOCKED', code, sent: true, httpStatus });
