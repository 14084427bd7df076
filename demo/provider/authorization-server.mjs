/** `oidc-provider` as the demo runs it: strict rotation, PKCE for everybody, its own login and consent pages. */
import { Provider } from 'oidc-provider';

const DAY = 86_400;

/**
 * @typedef {object} Client
 * @property {string} clientId
 * @property {string} [clientSecret]
 * @property {'code' | 'm2m'} kind code + PKCE with refresh tokens, or client credentials
 * @property {'client_secret_basic' | 'client_secret_post' | 'none'} [auth]
 *
 * @param {object} options
 * @param {string} options.issuer
 * @param {readonly Client[]} options.clients
 * @param {readonly string[]} options.redirectUris of every code client
 * @param {number} options.accessTokenSeconds
 * @param {{ cookieKey: string, signingKey: object }} options.keys
 * @param {import('./grants.mjs').GrantStore} options.store
 */
export function authorizationServer({ issuer, clients, redirectUris, accessTokenSeconds, keys, store }) {
  const provider = new Provider(issuer, {
    adapter: store.adapter,
    clients: clients.map((client) => metadata(client, redirectUris)),
    cookies: { keys: [keys.cookieKey] },
    jwks: { keys: [keys.signingKey] },
    scopes: ['openid', 'offline_access', 'email', 'orders'],
    claims: { openid: ['sub'], email: ['email'] },
    // The account's label is read from the id token, as with providers that have no userinfo call to spare.
    conformIdTokenClaims: false,
    findAccount: async (_ctx, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, email: sub.includes('@') ? sub : `${sub}@example.test` }),
    }),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && source.scopes.has('offline_access'),
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      AuthorizationCode: 60,
      IdToken: 600,
      Interaction: 600,
      Session: DAY,
      RefreshToken: 30 * DAY,
      Grant: 365 * DAY,
    },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
  });
  provider.on('server_error', (_ctx, error) => console.error(`server_error: ${error.message}`));
  return provider;
}

/** @param {Client} client @param {readonly string[]} redirectUris */
function metadata({ clientId, clientSecret, kind, auth = 'client_secret_basic' }, redirectUris) {
  const common = { client_id: clientId, client_secret: clientSecret, token_endpoint_auth_method: auth };
  return kind === 'm2m'
    ? { ...common, grant_types: ['client_credentials'], response_types: [], redirect_uris: [], scope: 'orders' }
    : {
        ...common,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: redirectUris,
      };
}
