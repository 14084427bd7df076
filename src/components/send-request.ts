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
    .post<{ data?: { attributes?: unknown }; errors?: { code?: string; title?: string }[] }>(
      `${url.replace(/\/+$/, '')}/v2/tenants/${tenant}/connections/${connection}/requests`,
      { data: { type: 'request', attributes: message.body } },
      { auth: { username, password }, validateStatus: () => true, timeout: 60_000, proxy: false },
    )
    .catch(() => {
      throw new DurableOAuthError('TOKEN_NOT_FRESH', 'The durable-oauth server does not answer');
    });
  const problem = answer.data.errors?.[0];
  if (problem) throw new DurableOAuthError(isErrorCode(problem.code) ? problem.code : 'INTERNAL', problem.title);
  return { body: answer.data.data?.attributes };
}

export { processMessage as process };
