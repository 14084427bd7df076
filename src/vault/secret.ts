/**
 * What the vault keeps. `Secret` is branded: it does not fit where `Fact`s are asked for, so a token in a workflow or an
 * activity result does not compile, and it prints a mask wherever a logger or an error picks it up.
 */
import { inspect } from 'node:util';

declare const brand: unique symbol;

/** A confidential string. Its value is reached only by `reveal()`. */
export class Secret {
  declare readonly [brand]: 'Secret';
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** Tokens last issued under a grant. Immutable: a refresh makes the next generation. Times are ISO 8601. */
export interface TokenSet {
  readonly kind: 'token_set';
  readonly accessToken: Secret;
  readonly refreshToken?: Secret;
  readonly tokenType: string;
  /** Granted scope, space separated. */
  readonly scope: string;
  /** Clock before the request was sent; serving and refreshing count from it. */
  readonly issuedAt: string;
  /** Clock when the answer arrived; decides which of two sets is later. */
  readonly receivedAt: string;
  /** `issuedAt` + lifetime; null = the provider did not say. */
  readonly expiresAt: string | null;
  readonly lifetimeSeconds: number | null;
  /** Account at the provider: `id` is compared on re-consent, `label` is shown. */
  readonly account?: { readonly id: string; readonly label: string };
  /** When consent was given; the absolute limit counts from it. */
  readonly grantedAt: string;
  /** Origins the endpoints had when the secret was entered; nothing is sent elsewhere. */
  readonly audience: readonly string[];
  /** The client id it was granted to; absent in sets stored before it was kept. */
  readonly clientId?: string;
  /** Origin of the API when the access token was issued: it is served for no other. Absent in sets stored before it was kept. */
  readonly apiOrigin?: string;
}

export interface ClientSecret {
  readonly kind: 'client_secret';
  readonly clientSecret: Secret;
  readonly audience: readonly string[];
}

/** Private part of an envelope key (JWK). */
export interface EnvelopeKey {
  readonly kind: 'envelope_key';
  readonly privateJwk: Secret;
}

/** Key of the HMACs by which refresh tokens that were refused or pasted, and repeated requests, are recognised without being kept. */
export interface HmacKey {
  readonly kind: 'hmac_key';
  readonly key: Secret;
}

export type VaultSecret = TokenSet | ClientSecret | EnvelopeKey | HmacKey;
