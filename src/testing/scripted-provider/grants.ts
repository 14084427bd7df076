import { randomBytes } from 'node:crypto';
import type { Rotation } from '../../connection/types';
import type { LedgerRule, ScriptedAccount, ScriptedClient, ScriptedProvider } from './types';

const CODE_LIFETIME_MS = 60_000;

export interface Grant {
  readonly id: string;
  readonly clientId: string;
  readonly scope: string;
  readonly account?: ScriptedAccount;
  dead: boolean;
}

export interface AuthorizationCode {
  readonly grant: Grant;
  readonly redirectUri: string;
  readonly challenge?: string;
  readonly expiresAt: number;
  presentations: number;
}

/** A refresh token with what it was exchanged for. */
export interface RefreshToken {
  readonly grant: Grant;
  readonly parent?: RefreshToken;
  readonly children: RefreshToken[];
  spentAt?: number;
  /** The token it was exchanged for, or a sibling, is in use: it works no more. */
  retired: boolean;
  presentationsWhenSpent: number;
}

export interface AccessToken {
  readonly grant: Grant;
  readonly refreshToken?: RefreshToken;
  readonly expiresAt: number;
  revoked: boolean;
}

export interface Client {
  secret?: string;
  rotation: Rotation;
}

/** Everything the server has issued. Nothing is forgotten, so that a late presentation is recognised. */
export class Grants {
  readonly clients = new Map<string, Client>();
  readonly all: Grant[] = [];
  readonly codes = new Map<string, AuthorizationCode>();
  readonly refreshTokens = new Map<string, RefreshToken>();
  readonly accessTokens = new Map<string, AccessToken>();
  readonly secrets: string[] = [];
  readonly now: () => number;

  constructor(clients: Readonly<Record<string, ScriptedClient>>, now: () => number) {
    this.now = now;
    for (const [clientId, { secret, rotation }] of Object.entries(clients)) {
      this.clients.set(clientId, { secret, rotation: rotation ?? { mode: 'none' } });
      if (secret !== undefined) this.secrets.push(secret);
    }
  }

  client(clientId: string): Client {
    const client = this.clients.get(clientId);
    if (!client) throw new Error(`The scripted provider has no client ${clientId}`);
    return client;
  }

  begin(clientId: string, scope: string, account?: ScriptedAccount): Grant {
    const grant: Grant = { id: `grant-${this.all.length + 1}`, clientId, scope, account, dead: false };
    this.all.push(grant);
    return grant;
  }

  issueCode(grant: Grant, redirectUri: string, challenge?: string): string {
    const code = this.mint('code');
    const expiresAt = this.now() + CODE_LIFETIME_MS;
    this.codes.set(code, { grant, redirectUri, challenge, expiresAt, presentations: 0 });
    return code;
  }

  issueRefreshToken(grant: Grant, parent?: RefreshToken): string {
    const value = this.mint('rt');
    const token: RefreshToken = { grant, parent, children: [], retired: false, presentationsWhenSpent: 0 };
    parent?.children.push(token);
    this.refreshTokens.set(value, token);
    return value;
  }

  issueAccessToken(grant: Grant, lifetimeSeconds: number, refreshToken?: RefreshToken): string {
    const value = this.mint('at');
    const expiresAt = this.now() + lifetimeSeconds * 1000;
    this.accessTokens.set(value, { grant, refreshToken, expiresAt, revoked: false });
    return value;
  }

  /** @returns the living access token of that value; finding it counts as its first use */
  useAccessToken(value: string): AccessToken | undefined {
    const token = this.accessTokens.get(value);
    if (!token || this.fateOf(value) !== 'alive') return undefined;
    if (token.refreshToken) this.confirm(token.refreshToken);
    return token;
  }

  fateOf(value: string): ReturnType<ScriptedProvider['fateOf']> {
    const token = this.accessTokens.get(value);
    if (!token) return 'never issued';
    if (token.grant.dead) return 'grant ended';
    if (token.revoked) return 'revoked';
    if (token.expiresAt <= this.now()) return 'expired';
    return token.refreshToken?.retired && this.modeOf(token.refreshToken) === 'until_used' ? 'superseded' : 'alive';
  }

  /**
   * Whether a refresh token may be exchanged now. A refusal for reuse ends its family, as the mode demands.
   * @param commit false only looks
   */
  mayRefresh(token: RefreshToken): boolean {
    return !token.grant.dead && !token.retired && (token.spentAt === undefined || this.reusable(token));
  }

  /** Counts a presentation. @returns the rule it breaks */
  presentRefreshToken(token: RefreshToken): LedgerRule | undefined {
    if (token.spentAt === undefined || this.reusable(token)) return undefined;
    token.presentationsWhenSpent += 1;
    const pardoned = this.modeOf(token) === 'unknown' && token.presentationsWhenSpent === 1;
    return pardoned ? undefined : 'REFRESH_TOKEN_REUSED';
  }

  /** Ends the family of a spent refresh token, access tokens included, where the mode does. */
  punishReuse(token: RefreshToken): void {
    if (token.spentAt !== undefined && this.modeOf(token) !== 'until_used' && !this.reusable(token)) {
      token.grant.dead = true;
    }
  }

  /** Marks the pair as the one in use: under `until_used` its predecessor and its siblings stop working. */
  confirm(token: RefreshToken): void {
    if (!token.parent || this.modeOf(token) !== 'until_used') return;
    token.parent.retired = true;
    for (const sibling of token.parent.children) if (sibling !== token) sibling.retired = true;
  }

  private reusable(token: RefreshToken): boolean {
    const { mode, graceSeconds = 0 } = this.client(token.grant.clientId).rotation;
    switch (mode) {
      case 'none':
      case 'old_stays_valid':
        return true;
      case 'grace':
        return this.now() < (token.spentAt ?? 0) + graceSeconds * 1000;
      case 'until_used':
        return !token.retired;
      case 'strict':
      case 'unknown':
        return false;
    }
  }

  private modeOf(token: RefreshToken): Rotation['mode'] {
    return this.client(token.grant.clientId).rotation.mode;
  }

  private mint(kind: 'at' | 'rt' | 'code'): string {
    const value = `canary-${kind}-${randomBytes(24).toString('base64url')}`;
    this.secrets.push(value);
    return value;
  }
}
