/** Whose account it is: from a verified id token, or from the provider's identity endpoint. */
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { Preset } from '../providers/preset';
import type { Secret } from '../vault/secret';
import type { OAuthClientTarget } from './contract';
import { OAuthFailure } from './failure';
import type { GuardedClient } from './guarded-client';
import { at, jsonObject, textAt, type Members } from './members';

export interface Account {
  readonly id: string;
  readonly label: string;
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const CLOCK_TOLERANCE_SECONDS = 60;
const DOCUMENT_MS = 5_000;
const MAX_ID = 255;
const MAX_BYTES = 256 * 1024;

/**
 * Verify an id token (OpenID Connect Core 3.1.3.7) with the keys of the configured issuer.
 * @param end epoch ms by which it must be known: keys that come later are keys that cannot be had
 * @returns `unverified` when there is no issuer, its keys cannot be had, or signature, issuer, time or algorithm do not
 *   hold: then the account is asked for otherwise, or confirmed by the person
 * @throws OAuthFailure (BLOCKED) when nonce or audience are another's: the code was not of this attempt
 */
export async function verifyIdToken(
  client: GuardedClient,
  target: OAuthClientTarget,
  idToken: string,
  nonce: Secret | undefined,
  end: number,
): Promise<Account | 'unverified'> {
  const claims = claimsOf(idToken);
  if (claims === undefined) return 'unverified';
  refuseForeign(claims, target.clientId, nonce);
  const { issuer, clientId: audience } = target;
  const keys = issuer === undefined ? undefined : await keysOf(client, issuer, end);
  if (keys === undefined) return 'unverified';
  try {
    const { payload } = await jwtVerify(idToken, createLocalJWKSet(keys), {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp'],
    });
    if (nonce !== undefined && payload['nonce'] === undefined) return 'unverified';
    return accountIn(payload, target.preset) ?? 'unverified';
  } catch {
    return 'unverified';
  }
}

function claimsOf(idToken: string): JWTPayload | undefined {
  try {
    return decodeJwt(idToken);
  } catch {
    return undefined;
  }
}

/** It came over TLS from the token endpoint, so even an unsigned claim says which attempt the code was made for. */
function refuseForeign({ aud = [], nonce: given }: JWTPayload, clientId: string, nonce: Secret | undefined): void {
  const foreignNonce = nonce !== undefined && given !== undefined && given !== nonce.reveal();
  if (!foreignNonce && [aud].flat().includes(clientId)) return;
  throw new OAuthFailure('The id token is not of this attempt', {
    class: 'BLOCKED',
    code: 'ENDPOINT_BLOCKED',
    sent: true,
  });
}

/** OpenID Connect Discovery 1.0 section 4.3: the issuer named by the document must be the one asked. */
async function keysOf(client: GuardedClient, issuer: string, end: number): Promise<JSONWebKeySet | undefined> {
  const discovery = await document(client, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, end);
  const jwksUri = textAt(discovery, 'jwks_uri');
  if (discovery?.['issuer'] !== issuer || jwksUri === undefined) return undefined;
  const keys = await document(client, jwksUri, end);
  return Array.isArray(keys?.['keys']) ? (keys as unknown as JSONWebKeySet) : undefined;
}

async function document(client: GuardedClient, url: string, end: number): Promise<Members | undefined> {
  try {
    const { status, body } = await client({
      method: 'GET',
      url,
      headers: {},
      deadlineMs: Math.max(1, Math.min(DOCUMENT_MS, end - Date.now())),
      maxBytes: MAX_BYTES,
      repeatable: true,
      attempted: 'Reading the keys of the issuer',
    });
    return status === 200 ? jsonObject(body) : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined when the members name nobody */
export function accountIn(members: Members, { identity }: Pick<Preset, 'identity'>): Account | undefined {
  const id = textAt(members, identity.id_path);
  // Stored and compared as it is: what no database takes, or nobody would read, names nobody.
  if (id === undefined || id.length > MAX_ID || /\p{C}/u.test(id)) return undefined;
  const label = at(members, identity.label_path);
  return { id, label: printable(typeof label === 'string' ? label : '') || printable(id) };
}

/** Shown to people, in pages and terminals. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '').trim().slice(0, 120);
