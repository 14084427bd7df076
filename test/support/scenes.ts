/** Scenes that many tests begin with: an integration saved, a person consenting, a token read. */
import { createHash, randomBytes } from 'node:crypto';
import { consentAsPerson } from '../../demo/browser';
import type { IntegrationSettings } from '../../src/connection/messages';
import type { ConsentView } from '../../src/client/contract';
import type { ConnectionRef } from '../../src/connection/types';
import type { Registry } from '../../src/registry/contract';
import { Secret } from '../../src/vault/secret';
import { eventually, type Harness } from './harness';
import { settings, type At } from './settings';

export const caller = { by: 'dev@test', traceId: 'test' };
export const CALLBACK = 'http://127.0.0.1:3000/callback';

let counter = 0;

export interface SaveScene {
  readonly at: At;
  readonly clientSecret?: string;
  readonly refreshToken?: string;
  readonly change?: Partial<IntegrationSettings>;
  readonly integration?: string;
  readonly component?: { readonly id: string; readonly client: string };
}

/** @returns the outcome of a save, with its secrets watched */
export async function save(
  harness: Harness,
  { at, clientSecret, refreshToken, change, integration, component }: SaveScene,
): ReturnType<Harness['parts']['connections']['save']> {
  harness.tripwire.watch([clientSecret, refreshToken].filter((text) => text !== undefined));
  return harness.parts.connections.save(
    {
      tenant: harness.tenant,
      integration: integration ?? `in_${++counter}`,
      settings: settings(at, change),
      clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret),
      refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
      component,
      lang: 'en',
    },
    caller,
  );
}

/** @throws when it is not saved */
export async function saved(harness: Harness, scene: SaveScene): Promise<ConnectionRef & { integration: string }> {
  const outcome = await save(harness, scene);
  if (outcome.kind !== 'saved') throw new Error(`Not saved: ${JSON.stringify(outcome)}`);
  return { tenant: harness.tenant, connection: outcome.connection, integration: outcome.integration };
}

/** Of a link that an application confirms. */
type LinkTerms = Pick<Parameters<Registry['consentLinks']['create']>[0], 'mode' | 'confirmerHash' | 'returnTo'>;

/** @returns the token of a consent link, the secret part of its URL */
export async function link(harness: Harness, ref: ConnectionRef, terms: LinkTerms = {}): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  harness.tripwire.watch([token]);
  await harness.parts.registry.consentLinks.create({
    tenant: ref.tenant,
    id: `cl_${randomBytes(8).toString('hex')}`,
    connection: ref.connection,
    tokenHash: createHash('sha256').update(token).digest('base64url'),
    createdBy: caller.by,
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    ...terms,
  });
  return token;
}

/** A browser between "Connect" and the confirm page. */
export interface Visitor {
  readonly cookie: string;
  /** The redirect of the provider, as our callback gets it. */
  readonly callbackUrl: string;
  readonly stateHash: string;
  readonly attempt: string;
}

/** Begin a consent and be sent back by the provider; nothing is delivered yet. */
export async function visit(harness: Harness, ref: ConnectionRef, login = 'ann', token?: string): Promise<Visitor> {
  const { location, cookie } = await harness.parts.consents.begin(token ?? (await link(harness, ref)), 'en');
  const { finalUrl } = await consentAsPerson({ startUrl: location, login, stopBefore: CALLBACK });
  const params = new URL(finalUrl).searchParams;
  const [stateHash = '', browserSecret = ''] = cookie.value.split('.');
  harness.tripwire.watch([params.get('code') ?? '', params.get('state') ?? '', browserSecret]);
  return { cookie: `${cookie.name}=${cookie.value}`, callbackUrl: finalUrl, stateHash, attempt: stateHash.slice(0, 8) };
}

/** What the browser of an attempt is shown, once its delivery was worked on. */
export function view(harness: Harness, visitor: Visitor): Promise<ConsentView | undefined> {
  return eventually(
    'the outcome of a delivery',
    () => harness.parts.consents.describe(visitor.attempt, visitor.cookie),
    (seen) => seen === undefined || !['waiting_for_callback', 'exchanging', 'handing_over'].includes(seen.stage),
  );
}

/** Deliver and confirm. @returns the stage it ended in */
export async function complete(harness: Harness, visitor: Visitor): Promise<string | undefined> {
  await harness.parts.consents.callback(visitor.callbackUrl, visitor.cookie);
  const seen = await view(harness, visitor);
  if (seen?.stage !== 'waiting_for_confirmation') return seen?.stage;
  await harness.parts.consents.confirm(visitor.attempt, visitor.cookie, seen.csrf);
  const confirmed = await eventually(
    'the outcome of a confirmation',
    () => harness.parts.consents.describe(visitor.attempt, visitor.cookie),
    (after) => after?.stage === 'connected' || after?.stage === 'failed',
  );
  return confirmed?.stage;
}

/** Read a token, and watch it. */
export async function read(
  harness: Harness,
  ref: ConnectionRef,
  refused?: number,
): ReturnType<Harness['parts']['tokens']['read']> {
  const token = await harness.parts.tokens.read(ref, { refused });
  harness.tripwire.watch([token.accessToken.reveal()]);
  return token;
}
