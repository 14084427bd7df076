/** What is read of a component.json (elastic.io's component descriptor), and what is told about it. */

/** What a reader of the file should know: an error refuses the file, a warning does not. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly code: FindingCode;
  /** RFC 6901; of a member that is missing, where it should stand. */
  readonly pointer: string;
  /** For people; never holds a value of the file that may be a secret. */
  readonly message: string;
}

export type ErrorFinding =
  | 'TOO_LARGE'
  | 'JSON_INVALID'
  | 'NOT_AN_OBJECT'
  | 'NOT_A_STRING'
  | 'NOT_A_BOOLEAN'
  | 'MEMBER_MISSING'
  | 'ENDPOINT_INVALID'
  /** Top level and `credentials` say different things (C4). */
  | 'CONFLICT'
  /** Several variables could stand for an empty client id or secret (C26). */
  | 'LINK_AMBIGUOUS';

export type WarningFinding =
  | 'ENCODING_DAMAGED'
  /** Not of the type it should have, so it counts as absent. */
  | 'MEMBER_IGNORED'
  | 'PARAMETER_RESERVED'
  | 'TITLE_MISSING'
  | 'VERSION_INVALID'
  | 'FUNCTION_MISSING'
  | 'FUNCTION_SHADOWED'
  | 'MAIN_MISSING'
  /** `useOAuthClient` inside `credentials`. */
  | 'MISPLACED'
  | 'ENDPOINTS_MISSING'
  | 'OAUTH_FIELD_MISSING'
  | 'OAUTH_FIELD_AMBIGUOUS'
  | 'OAUTH1_UNSUPPORTED'
  | 'CLIENT_AUTH_UNKNOWN'
  | 'SECRET_IN_FILE'
  | 'LINKED_BY_NAME'
  | 'VARIABLE_UNDECLARED';

export type FindingCode = ErrorFinding | WarningFinding;

export interface EnvVar {
  readonly required: boolean;
  readonly description?: string;
}

export interface OAuth2 {
  /** Each may hold `{{VARIABLE}}`s; without one it is an absolute https URL (http on loopback). */
  readonly authUri: string;
  readonly tokenUri: string;
  /** As written: empty, `{{VARIABLE}}`, or the value itself. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  readonly clientAuth: 'client_secret_basic' | 'client_secret_post';
  /** Further parameters of the authorization request (`access_type`, `prompt` …); values may hold `{{VARIABLE}}`s. */
  readonly authorizationParams: Readonly<Record<string, string>>;
  /** The env vars that stand for client id and secret: from `{{VARIABLE}}`, or linked by name when empty (C26). */
  readonly clientIdVariable?: string;
  readonly clientSecretVariable?: string;
}

/** What durable-oauth uses of a component.json; the file itself is kept whole beside it. */
export interface Manifest {
  readonly title?: string;
  readonly version?: string;
  readonly description?: string;
  /** The OAuth client is the tenant's: said by `useOAuthClient`, or by its successor `authClientTypes`. */
  readonly useOAuthClient: boolean;
  /** The key the OAuthFieldView field has: tokens are read at `cfg.<field>.access_token`. */
  readonly oauthField?: string;
  /** Absent too when `authClientTypes` leaves the endpoints to the OAuth client. */
  readonly oauth2?: OAuth2;
  readonly envVars: Readonly<Record<string, EnvVar>>;
  readonly functions: readonly ComponentFunction[];
  /** OAuth whose client comes from env vars or from the file, without `useOAuthClient`. */
  readonly legacyOAuth: boolean;
}

export interface ComponentFunction {
  readonly key: string;
  readonly kind: 'trigger' | 'action';
  readonly title?: string;
}
