/** The CLI's REST client: where the server is and who we are, from the environment or a `dev` data folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import axios from 'axios';
import { DurableOAuthError, isErrorCode } from '../errors';
import type { DevKey } from './dev/supervisor';

export interface Api {
  readonly tenant: string;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

/** @throws CONFIGURATION_INVALID when neither DURABLE_OAUTH_API_KEY nor a data folder says who we are */
export function openApi(env: NodeJS.ProcessEnv, dataDir: string): Api {
  const access = accessOf(env, dataDir);
  const client = axios.create({
    baseURL: access.url,
    auth: { username: access.email, password: access.key },
    validateStatus: () => true,
    timeout: 30_000,
    proxy: false,
  });
  const send = async <T>(method: 'GET' | 'POST', path: string, data?: unknown): Promise<T> => {
    try {
      const answer = await client.request<unknown>({ method, url: path, data });
      if (answer.status < 400) return answer.data as T;
      throw problemOf(answer.data);
    } catch (error) {
      if (error instanceof DurableOAuthError) throw error;
      throw new DurableOAuthError(
        'CONFIGURATION_INVALID',
        `The server at ${access.url} does not answer: start it, or set DURABLE_OAUTH_URL`,
      );
    }
  };
  return { tenant: access.tenant, get: (path) => send('GET', path), post: (path, body) => send('POST', path, body) };
}

function accessOf(env: NodeJS.ProcessEnv, dataDir: string): DevKey {
  const {
    DURABLE_OAUTH_API_KEY: key,
    DURABLE_OAUTH_EMAIL: email,
    DURABLE_OAUTH_URL: url,
    DURABLE_OAUTH_TENANT: tenant,
  } = env;
  if (key && email && tenant) return { key, email, tenant, url: url ?? 'http://127.0.0.1:3000' };
  try {
    return JSON.parse(readFileSync(join(dataDir, 'api-key.json'), 'utf8')) as DevKey;
  } catch {
    throw new DurableOAuthError(
      'CONFIGURATION_INVALID',
      'No API key: set DURABLE_OAUTH_URL, DURABLE_OAUTH_TENANT, DURABLE_OAUTH_EMAIL and DURABLE_OAUTH_API_KEY, or name the data folder of `durable-oauth dev` with --data-dir',
    );
  }
}

function problemOf(data: unknown): DurableOAuthError {
  const first = (data as { errors?: { code?: string; title?: string; detail?: string }[] } | undefined)?.errors?.[0];
  const text = [...new Set([first?.title, first?.detail].filter(Boolean))].join(': ');
  return new DurableOAuthError(isErrorCode(first?.code) ? first.code : 'INTERNAL', text || 'The server refused');
}
