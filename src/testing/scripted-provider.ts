/**
 * A scripted authorization server with a small API, in the test's own process: real HTTP on loopback, rotation modes,
 * faults on demand, and a ledger that judges the client from the server's side.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GrantType } from '../connection/types';
import { Grants, type RefreshToken } from './scripted-provider/grants';
import {
  bearerOf,
  credentialsOf,
  pause,
  readBody,
  send,
  type Answer,
  type Credentials,
} from './scripted-provider/http';
import { fingerprintOf, Ledger, type OpenEntry } from './scripted-provider/ledger';
import type {
  LedgerRule,
  ScriptedAccount,
  ScriptedAnswer,
  ScriptedProvider,
  ScriptedProviderOptions,
} from './scripted-provider/types';

const ORDERS_PER_PAGE = 5;
const PAGES = 3;

/** Start it on a free port of 127.0.0.1. */
export async function startScriptedProvider(options: ScriptedProviderOptions): Promise<ScriptedProvider> {
  const now = options.now ?? Date.now;
  const grants = new Grants(options.clients, now);
  const ledger = new Ledger(now);
  const script: ScriptedAnswer[] = [];
  let lifetime = options.tokenLifetime ?? 3600;
  let literal: { readonly value: string | number | null } | undefined;
  let omit = false;
  let outage: number | null = null;
  let account: ScriptedAccount = { sub: 'ann', email: 'ann@example.test' };
  let deny = false;
  let refuseAll = false;
  let revocations = 0;

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', issuer);
    const body = await readBody(request);
    if (url.pathname.startsWith('/api/')) return send(response, api(request, url, body));
    if (url.pathname === '/token') return token(request, response, new URLSearchParams(body));
    if (outage !== null) return send(response, { status: outage, body: { error: 'temporarily_unavailable' } });
    if (url.pathname === '/authorize') return authorize(url, response);
    if (url.pathname === '/revoke') return send(response, revoke(request, new URLSearchParams(body)));
    if (url.pathname === '/userinfo') return send(response, userinfo(request));
    send(response, { status: 404, body: { error: 'not_found' } });
  }

  function authorize(url: URL, response: ServerResponse): void {
    const ask = url.searchParams;
    const back = new URL(ask.get('redirect_uri') ?? issuer);
    back.searchParams.set('state', ask.get('state') ?? '');
    back.searchParams.set('iss', issuer);
    if (deny) back.searchParams.set('error', 'access_denied');
    else {
      const grant = grants.begin(ask.get('client_id') ?? '', ask.get('scope') ?? '', account);
      const redirectUri = ask.get('redirect_uri') ?? '';
      back.searchParams.set('code', grants.issueCode(grant, redirectUri, ask.get('code_challenge') ?? undefined));
    }
    response.writeHead(302, { location: back.href }).end();
  }

  async function token(request: IncomingMessage, response: ServerResponse, form: URLSearchParams): Promise<void> {
    const who = credentialsOf(request, form);
    const presented = form.get('code') ?? form.get('refresh_token') ?? undefined;
    const code = grants.codes.get(form.get('code') ?? '');
    const refreshToken = grants.refreshTokens.get(form.get('refresh_token') ?? '');
    const rule: LedgerRule | undefined =
      code && code.presentations++ > 0 ? 'CODE_TWICE' : refreshToken && grants.presentRefreshToken(refreshToken);
    const entry = ledger.open(
      {
        grantType: form.get('grant_type') ?? '',
        clientId: who.clientId,
        clientAuth: who.clientAuth,
        grantId: (code ?? refreshToken)?.grant.id,
        fingerprint: presented === undefined ? undefined : fingerprintOf(presented),
      },
      rule,
    );
    response.once('close', () => ledger.close(entry));
    const scripted = script.shift() ?? (outage === null ? {} : { status: outage });
    if (scripted.dropConnection === 'before_commit') return void response.destroy();
    const refused = scripted.status !== undefined && (scripted.status < 200 || scripted.status > 299);
    const earned: Answer = refused
      ? { status: scripted.status ?? 500, body: {} }
      : process(form, who, entry, refreshToken);
    if (scripted.delayMs) await pause(scripted.delayMs, response);
    if (scripted.dropConnection === 'after_commit') return void response.destroy();
    const status = scripted.status ?? earned.status;
    const laid = entry.committed ? { ...(earned.body as object), ...scripted.body } : (scripted.body ?? earned.body);
    const retryAfter = scripted.headers?.['retry-after'];
    if (retryAfter !== undefined) ledger.pause(who.clientId, retryAfter);
    entry.status = status;
    const error = (laid as { error?: unknown }).error;
    if (typeof error === 'string') entry.error = error;
    ledger.close(entry);
    send(response, { status, body: scripted.raw ?? laid, headers: scripted.headers });
  }

  /** What an honest server answers; commits. */
  function process(
    form: URLSearchParams,
    who: Credentials,
    entry: OpenEntry,
    refreshToken: RefreshToken | undefined,
  ): Answer {
    const client = grants.clients.get(who.clientId);
    if (!client || client.secret !== who.secret) return refusal(401, 'invalid_client');
    switch (form.get('grant_type')) {
      case 'client_credentials': {
        const grant = grants.begin(who.clientId, form.get('scope') ?? '');
        entry.grantId = grant.id;
        entry.committed = true;
        return issued({ access_token: grants.issueAccessToken(grant, lifetime) });
      }
      case 'authorization_code': {
        const code = grants.codes.get(form.get('code') ?? '');
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        const fits = code && code.presentations === 1 && code.expiresAt > now() && code.grant.clientId === who.clientId;
        const bound =
          code?.redirectUri === form.get('redirect_uri') && (!code?.challenge || code.challenge === challenge);
        if (!fits || !bound) return refusal(400, 'invalid_grant');
        entry.committed = true;
        const value = omit ? undefined : grants.issueRefreshToken(code.grant);
        return pair(code.grant, value, value === undefined ? undefined : grants.refreshTokens.get(value));
      }
      case 'refresh_token': {
        if (!refreshToken || refreshToken.grant.clientId !== who.clientId) return refusal(400, 'invalid_grant');
        if (!grants.mayRefresh(refreshToken)) {
          grants.punishReuse(refreshToken);
          return refusal(400, 'invalid_grant');
        }
        entry.committed = true;
        grants.confirm(refreshToken);
        const { mode } = client.rotation;
        if (omit || mode === 'none') return pair(refreshToken.grant, undefined, refreshToken);
        refreshToken.spentAt ??= now();
        const next = grants.issueRefreshToken(refreshToken.grant, refreshToken);
        return pair(refreshToken.grant, next, grants.refreshTokens.get(next));
      }
      default:
        return refusal(400, 'unsupported_grant_type');
    }
  }

  function pair(grant: RefreshToken['grant'], value: string | undefined, of: RefreshToken | undefined): Answer {
    const access = grants.issueAccessToken(grant, lifetime, of);
    return issued({ access_token: access, ...(value !== undefined && { refresh_token: value }), scope: grant.scope });
  }

  function issued(members: Record<string, unknown>): Answer {
    const expires = literal === undefined ? lifetime : literal.value;
    return { status: 200, body: { token_type: 'Bearer', expires_in: expires, ...members } };
  }

  function revoke(request: IncomingMessage, form: URLSearchParams): Answer {
    const who = credentialsOf(request, form);
    if (grants.clients.get(who.clientId)?.secret !== who.secret) return refusal(401, 'invalid_client');
    const value = form.get('token') ?? '';
    const refreshToken = grants.refreshTokens.get(value);
    const access = grants.accessTokens.get(value);
    if (refreshToken) refreshToken.grant.dead = true;
    if (access) access.revoked = true;
    revocations += 1;
    return { status: 200, body: {} };
  }

  function userinfo(request: IncomingMessage): Answer {
    const found = grants.useAccessToken(bearerOf(request) ?? '');
    return found?.grant.account ? { status: 200, body: found.grant.account } : refusal(401, 'invalid_token');
  }

  function api(request: IncomingMessage, url: URL, body: string): Answer {
    const living = refuseAll ? undefined : grants.useAccessToken(bearerOf(request) ?? '');
    if (!living) {
      const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
      return { status: 401, body: { error: 'invalid_token' }, headers };
    }
    if (url.pathname === '/api/echo') {
      const { authorization: _dropped, ...headers } = request.headers;
      return { status: 200, body: { method: request.method, path: url.pathname, query: url.search, headers, body } };
    }
    const page = Number(url.searchParams.get('page') ?? '1');
    const first = (page - 1) * ORDERS_PER_PAGE;
    const count = page >= 1 && page <= PAGES ? ORDERS_PER_PAGE : 0;
    return {
      status: 200,
      body: { page, orders: Array.from({ length: count }, (_, i) => ({ id: `order-${first + i + 1}` })) },
    };
  }

  return {
    issuer,
    endpoints: {
      authorization: `${issuer}/authorize`,
      token: `${issuer}/token`,
      revocation: `${issuer}/revoke`,
      identity: `${issuer}/userinfo`,
    },
    apiBaseUrl: `${issuer}/api`,
    stop: () => stop(server),
    tokenLifetime: (seconds) => void (lifetime = seconds),
    expiresIn: (value) => void (literal = value === undefined ? undefined : { value }),
    rotation: (clientId, rotation) => void (grants.client(clientId).rotation = rotation),
    omitRefreshToken: (value) => void (omit = value),
    respondNext: (one) => void script.push(one),
    outage: (status) => void (outage = status),
    account: (next) => void (account = next),
    denyConsent: (value) => void (deny = value),
    apiRefusesAll: (value) => void (refuseAll = value),
    changeClientSecret(clientId, secret) {
      grants.client(clientId).secret = secret;
      grants.secrets.push(secret);
    },
    revokeGrant(owner) {
      const theirs = grants.all.filter(
        ({ clientId, account: of, dead }) => !dead && (clientId === owner || of?.sub === owner || of?.email === owner),
      );
      if (theirs.length === 0) throw new Error(`No living grant is of ${owner}`);
      for (const grant of theirs) grant.dead = true;
    },
    issueRefreshToken: (clientId, scope = '') => grants.issueRefreshToken(grants.begin(clientId, scope, account)),
    ledger: (last) => ledger.list(last),
    tokenRequests: (grantType?: GrantType) =>
      ledger.list().filter((entry) => grantType === undefined || entry.grantType === grantType).length,
    revocations: () => revocations,
    allowReuse: (count) => ledger.pardon(count),
    assertLedger: () => ledger.assert(),
    fateOf: (accessToken) => grants.fateOf(accessToken),
    issuedSecrets: () => [...grants.secrets],
  };
}

const refusal = (status: number, error: string): Answer => ({ status, body: { error } });

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

export type { LedgerEntry, ScriptedAnswer, ScriptedProvider, ScriptedProviderOptions } from './scripted-provider/types';
