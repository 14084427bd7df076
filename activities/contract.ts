/**
 * What workflows may ask of activities. Inputs and results are facts: a `Secret` does not fit. Names are wire.
 *
 * Every activity fails with an `ApplicationFailure` whose `type` is a code of src/errors.ts and whose only detail, where
 * a request to an authorization server failed, is `FailureFacts`.
 */
import type {
  ChangeIntegrationInput,
  ChangeIntegrationResult,
  ConnectionInput,
  ConsentInput,
  ConsentReading,
  GrantReady,
  Origin,
  RetireIntegrationInput,
  RetireOAuthClientInput,
  SaveInput,
  SaveOAuthClientInput,
  SaveResult,
  Tombstone,
} from '../src/connection/messages';
import type { Query, Sending } from '../src/connection/requests';
import type { ConnectionState, Display, Evidence, Fact, Policy, Recovery, TokenFacts } from '../src/connection/types';
import type { ErrorCode } from '../src/errors';

type V1 = { readonly v: 1 };
/** Every activity input names its connection as `<tenant>/<connection>`. */
type AtRef = V1 & { readonly ref: string };

/** A token set in the vault, as facts, with the settings it is to be scheduled by. */
export type TokenReport = V1 & {
  readonly token: TokenFacts;
  readonly policy: Policy;
  readonly display: Display;
  readonly account?: { readonly id: string; readonly label: string };
  readonly grantedAt: string;
  readonly warnings: readonly string[];
};

/**
 * A provider answer that could not be stored in time: a sealed list of vault cells (activities/cells.ts), stored by
 * `storeEscrowedTokenSet`. Heartbeats carry nothing else, or what contains it.
 */
export type Escrow = V1 & {
  readonly kind: 'escrow';
  /** The grant whose token set is among the cells. */
  readonly grant: string;
  readonly sealed: string;
};

export type RefreshResult =
  (TokenReport & { readonly kind: 'refreshed' | 'adopted'; readonly rotated: boolean }) | Escrow;

export type LoadResult =
  | (V1 & { readonly known: false })
  | (V1 & {
      readonly known: true;
      readonly frozen: boolean;
      /** Frozen, and the run that was revoking it was lost before it was done. */
      readonly revoking?: { readonly frozenAt: string };
      readonly state: ConnectionState;
      readonly recovery?: Recovery;
      readonly reason?: ErrorCode;
      readonly since: string;
      readonly evidence?: Evidence;
      readonly stateVersion: number;
      /** Generation the row knows; the vault's may be newer. */
      readonly generation: number;
      readonly policy: Policy;
      readonly display: Display;
      /** Newest token set the vault holds under the grant of record; absent = none. */
      readonly token?: TokenFacts;
      /** The grant of record. */
      readonly grant?: string;
      /** The one before: whoever let it go may not have got that far. */
      readonly previousGrant?: string;
      readonly grantedAt?: string;
      readonly refreshedAt?: string;
      readonly consentDeadline?: string;
    });

export type RecordTransition = AtRef & {
  readonly stateVersion: number;
  readonly state: ConnectionState;
  readonly recovery?: Recovery;
  readonly reason?: ErrorCode;
  readonly since: string;
  readonly evidence?: Evidence;
  readonly nextAttemptAt: string | null;
  readonly usable: boolean;
  /** noun.participle; absent = no event, the row only. */
  readonly event?: string;
  readonly facts?: { readonly [name: string]: Fact };
  /** Stop every reader at once, whatever the version. */
  readonly freeze?: boolean;
} & Origin;

export type ExchangeResult = V1 & {
  readonly account?: { readonly id: string; readonly label: string };
  readonly sameAccount: 'same' | 'first' | 'unverifiable';
  readonly scope: string;
  readonly app: string;
} & (
    | { readonly kind: 'stored'; readonly generation: number }
    /** No refresh token came, but the account is the same and its old grant has one: prove that one by a refresh. */
    | { readonly kind: 'keep' }
    | { readonly kind: 'escrow'; readonly grant: string; readonly sealed: string }
  );

/** A sealed client secret, and where it is to be kept. */
export type NewClientSecret = Pick<SaveOAuthClientInput, 'v' | 'tenant' | 'client' | 'secret' | 'sealed' | 'audience'>;

/** A change of an integration that came to nothing: refused when it was to be proven, or failed afterwards. */
export type UnmadeChange = Pick<ChangeIntegrationInput, 'v' | 'tenant' | 'integration' | 'members' | keyof Origin> & {
  /** Every change has one of its own: of two events about it one is kept. Absent from workflows of an earlier version. */
  readonly secret?: string;
  readonly event: 'integration.change_refused' | 'integration.change_failed';
  readonly code: ErrorCode;
  /** What the provider answered. */
  readonly oauthError?: string;
};

/** What is left of a client whose connections are revoked. */
export type Disconnected = V1 & {
  /** Vault refs of the secrets that go with it. */
  readonly refs: readonly string[];
  /** When the last attempt at a consent through it began: until that ends, it may have to be revoked with them. */
  readonly attemptedAt?: string;
};

export interface DurableOAuthActivities {
  // ── connection ──
  /** Registry row and vault, as they are: how a connection starts from its ref alone. */
  loadConnection(input: AtRef): Promise<LoadResult>;
  /** One refresh, one attempt (design 6). */
  refreshTokenSet(
    input: AtRef & {
      readonly grant: string;
      readonly generation: number;
      /** HMACs of refresh tokens that were refused; none of them is sent again. */
      readonly fingerprints: readonly string[];
    },
  ): Promise<RefreshResult>;
  /** Open an escrow and put it. Run until it succeeds. @returns `same` when the vault already had it */
  storeEscrowedTokenSet(
    input: AtRef & { readonly grant: string; readonly sealed: string },
  ): Promise<V1 & { readonly stored: 'stored' | 'same'; readonly report?: TokenReport }>;
  /** After a refresh nobody heard of again: a newer generation in the vault, or the old access token probed. */
  recoverRefresh(
    input: AtRef & { readonly grant: string; readonly generation: number },
  ): Promise<
    | (TokenReport & { readonly newer: true })
    | (V1 & { readonly newer: false; readonly probe: 'alive' | 'dead' | 'not_probed' })
  >;
  /** Make a grant the grant of record. */
  adoptGrant(
    input: AtRef &
      Origin & {
        readonly grant: string;
        readonly consent: string;
        /** The connection was frozen when it heard of this consent: it connects again. */
        readonly thaw: boolean;
      },
  ): Promise<TokenReport & { readonly previousGrant: string | null }>;
  /** RFC 7009 for the newest refresh token of a grant, an escrowed one too. */
  revokeGrant(
    input: AtRef & { readonly grant: string; readonly sealed?: string },
  ): Promise<V1 & { readonly provider: 'revoked' | 'not_supported' | 'nothing_to_revoke' }>;
  /** Destroy vault refs, and the rows a failed or abandoned save made. Run until it succeeds. */
  destroySecrets(
    input: V1 &
      Origin & {
        readonly tenant: string;
        readonly refs: readonly string[];
        /**
         * Also remove the rows of the save that made this connection. Named by the connection, whose id is the save's own:
         * two saves may want one integration id, and the loser must not take the winner's rows along.
         */
        readonly remove?: { readonly connection: string };
        /** Also forget the name of a client secret that was never published. */
        readonly unpublished?: { readonly client: string; readonly secret: string };
        /** Also record that the revocation of this connection is finished, and how it ended at the provider. */
        readonly revoked?: {
          readonly connection: string;
          readonly provider: Tombstone['provider'];
          /** What was revoked: the row is frozen as long as it names it, and left alone when it names another. */
          readonly grant: string | null;
        };
        readonly reason: string;
      },
  ): Promise<V1>;
  /** Project a state to its row and event, and complete the parked flows when it became active. */
  recordTransition(
    input: RecordTransition,
  ): Promise<V1 & { readonly stateVersion: number; readonly applied: boolean; readonly frozen: boolean }>;

  // ── consent ──
  exchangeAuthorizationCode(
    input: AtRef & {
      readonly consent: string;
      readonly clientId: string;
      readonly tokenOrigin: string;
      readonly issuer?: string;
      readonly redirectUri: string;
      readonly scope: string;
      readonly sealed: string;
      readonly code: string;
      readonly iss?: string;
      /** Present when the code came raw (`callbackSignal: 'sealed-or-code'`): checked against the workflow id. */
      readonly state?: string;
    },
  ): Promise<ExchangeResult>;
  /** Tell the connection (signal-with-start: its run may have ended). */
  handOverGrant(
    input: AtRef & { readonly message: GrantReady; readonly tuning?: ConnectionInput['tuning'] },
  ): Promise<V1>;
  /** Use the link of a confirmed consent up. @returns `used: false` when another consent had used it up before */
  completeConsentLink(
    input: AtRef & { readonly consent: string; readonly link: string },
  ): Promise<V1 & { readonly used: boolean }>;
  /** Project the outcome of a consent: its event. */
  recordConsent(
    input: AtRef &
      Origin & {
        readonly consent: string;
        readonly outcome: 'connected' | 'failed';
        readonly code?: ErrorCode;
        readonly detail?: ConsentReading['detail'];
      },
  ): Promise<V1>;

  // ── OAuth clients of components ──
  /** Take the place of (tenant, component), seen by nobody, or begin a change; the secret is named before it is stored. */
  reserveOAuthClient(input: SaveOAuthClientInput): Promise<V1>;
  /** @returns first digits of the secret's HMAC */
  storeClientSecret(input: NewClientSecret): Promise<V1 & { readonly fingerprint: string }>;
  publishOAuthClient(input: SaveOAuthClientInput & { readonly fingerprint: string }): Promise<V1>;
  /** Destroy the secret, give the reserved place back. Run until it succeeds. */
  undoOAuthClient(input: SaveOAuthClientInput): Promise<V1>;
  /** Freeze and revoke what was granted through it, run until none is left. */
  disconnectOAuthClient(input: RetireOAuthClientInput): Promise<Disconnected>;
  recordOAuthClientDeleted(input: RetireOAuthClientInput): Promise<V1>;

  // ── change of an integration ──
  /** Prove new settings with a new client secret; nothing is stored. */
  proveClient(input: ChangeIntegrationInput): Promise<V1 & Pick<ChangeIntegrationResult, 'proven'>>;
  /** Settings, client and event in one transaction. Run until it succeeds. */
  publishIntegrationChange(
    input: ChangeIntegrationInput & { readonly fingerprint: string },
  ): Promise<V1 & Pick<ChangeIntegrationResult, 'outdated'>>;
  /** Its event, once, with the reason in words. Run until it succeeds. */
  recordChangeNotMade(input: UnmadeChange): Promise<V1>;

  // ── integrations that are deleted ──
  /** Freeze and revoke its connections, run until none is left. */
  disconnectIntegration(input: RetireIntegrationInput): Promise<Disconnected>;
  recordIntegrationDeleted(input: RetireIntegrationInput): Promise<V1>;

  // ── save ──
  /** Design: check writable → reserve fingerprint → one token request → escrow → client secret → grant. */
  validateIntegration(input: SaveInput): Promise<SaveValidation>;
  /** All rows and the event, in one transaction. */
  registerIntegration(input: SaveInput & { readonly validation: SaveValidation }): Promise<SaveResult>;
}

export type SaveValidation = V1 & {
  readonly proven: SaveResult['proven'];
  readonly token?: TokenFacts;
  readonly account?: { readonly id: string; readonly label: string };
  readonly grantedAt?: string;
  readonly fingerprint?: string;
  readonly warnings: readonly string[];
  /** Secrets not yet stored. The heartbeat carries the whole of this, so that a killed worker loses nothing. */
  readonly escrow?: Escrow;
};

/** What a flow's request looks like on its way to the requests queue. */
export type ApiRequestInput = AtRef &
  Sending & {
    /** Path below the API base URL, or an absolute URL of the same origin (C25). */
    readonly path: string;
    readonly query?: Query;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Fact;
  };

export type ApiResult = V1 & {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Fact;
};

export interface RequestActivities {
  /** One authorised request; the token never leaves this activity. */
  sendRequest(input: ApiRequestInput): Promise<ApiResult>;
  /** Complete when the connection is active; completes asynchronously, so a parked flow costs nothing. */
  untilActive(input: AtRef): Promise<V1 & { readonly state: ConnectionState }>;
}

export type { ConsentInput };
