/**
 * The elastic.io action "Send an authorised request": asks the REST API of durable-oauth, so no token enters the flow.
 * The step's environment names the server (DURABLE_OAUTH_URL, _EMAIL, _API_KEY); its settings name the connection.
 */
import axios from 'axios';
import { z } from 'zod';
import { DurableOAuthError, isErrorCode } from '../errors';

const settings = z.object({ connection: z.string().regex(/^[a-z0-9_-]{1,64}\/[a-z0-9_-]{1,64}$/) });
const environment = z.object({
  DURABLE_OAUTH_URL: z.url(),
  DURABLE_OAUTH_EMAIL: z.string().min(1),
  DURABLE_OAUTH_API_KEY: z.string().min(1),
});

interface Message {
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Send one request through the connection.
 * @param message its body is the request: method, path, query, headers, body, idempotency_key
 * @param config the step's settings
 * @returns a message whose body is the answer: status, headers, body
 * @throws CONFIGURATION_INVALID, and what the route answers (CONSENT_NEEDED, NOT_CONNECTED, ORIGIN_NOT_ALLOWED …)
 */
async function processMessage(message: Message, config: unknown): Promise<{ body: unknown }> {
  const step = settings.safeParse(config);
  const env = environment.safeParse(process.env);
  if (!step.success || !env.success) {
    throw new DurableOAuthError(
      'CONFIGURATION_INVALID',
      'Set the connection as <tenant>/<connection>, and DURABLE_OAUTH_URL, DURABLE_OAUTH_EMAIL and DURABLE_OAUTH_API_KEY',
    );
  }
  const [tenant, connection] = step.data.connection.split('/');
  const { DURABLE_OAUTH_URL: url, DURABLE_OAUTH_EMAIL: username, DURABLE_OAUTH_API_KEY: password } = env.data;
  const answer = await axios
    .post<{ data?: { attributes?: unknown }; errors?: { code?: string; title?: string }[] } | string>(
      `${url.replace(/\/+$/, '')}/v2/tenants/${tenant}/connections/${connection}/requests`,
      { data: { type: 'request', attributes: message.body } },
      { auth: { username, password }, validateStatus: () => true, timeout: ANSWER_MS, proxy: false },
    )
    .catch((error: unknown) => {
      throw unanswered(message, isRefusedConnection(error));
    });
  const document = typeof answer.data === 'object' && answer.data !== null ? answer.data : {};
  const problem = document.errors?.[0];
  if (problem) throw new DurableOAuthError(isErrorCode(problem.code) ? problem.code : 'INTERNAL', problem.title);
  // A proxy in front of the server answers with a page of its own: what became of the request is then unknown.
  if (answer.status !== 200 || document.data?.attributes === undefined) throw unanswered(message, false);
  return { body: document.data.attributes };
}

/** The route itself answers within a minute. */
const ANSWER_MS = 75_000;

/** Only what may be repeated, or never left, is said to be worth another try. */
function unanswered({ body }: Message, neverLeft: boolean): DurableOAuthError {
  const { method = 'GET', idempotency_key: key } = body;
  const harmless = neverLeft || method === 'GET' || method === 'HEAD' || typeof key === 'string';
  return harmless
    ? new DurableOAuthError('TOKEN_NOT_FRESH', 'The durable-oauth server does not answer')
    : new DurableOAuthError(
        'REQUEST_OUTCOME_UNKNOWN',
        'The durable-oauth server did not answer: the API may have acted',
      );
}

const isRefusedConnection = (error: unknown): boolean =>
  axios.isAxiosError(error) && ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(error.code ?? '');

export { processMessage as process };
