import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LedgerEntry } from './types';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const raw = typeof body === 'string';
  response.writeHead(status, {
    'content-type': raw ? 'text/html; charset=utf-8' : 'application/json',
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(raw ? body : JSON.stringify(body));
}

/** Wait, or less when the other side hangs up. */
export async function pause(milliseconds: number, response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    response.once('close', done);
  });
}

export interface Credentials {
  readonly clientId: string;
  readonly secret?: string;
  readonly clientAuth: LedgerEntry['clientAuth'];
}

/** Read who the client says it is (RFC 6749 section 2.3.1). Two methods at once name nobody. */
export function credentialsOf(request: IncomingMessage, form: URLSearchParams): Credentials {
  const clientId = form.get('client_id') ?? '';
  const secret = form.get('client_secret') ?? undefined;
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic === undefined)
    return { clientId, secret, clientAuth: secret === undefined ? 'none' : 'client_secret_post' };
  const decoded = Buffer.from(basic, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0 || secret !== undefined) return { clientId: '', clientAuth: 'client_secret_basic' };
  return {
    clientId: formDecode(decoded.slice(0, colon)),
    secret: formDecode(decoded.slice(colon + 1)),
    clientAuth: 'client_secret_basic',
  };
}

export function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

const formDecode = (text: string): string => new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? '';
