/** A component whose OAuth client each tenant brings, and what is made through it. */
import { readManifest } from '../../src/components/manifest';
import type { OAuthClientBase } from '../../src/connection/messages';
import type { ManifestFacts } from '../../src/registry/contract-platform';
import type { ScriptedProvider } from '../../src/testing/scripted-provider';
import { Secret } from '../../src/vault/secret';
import type { Harness } from './harness';
import { caller, CALLBACK, type SaveScene } from './scenes';

type At = Pick<ScriptedProvider, 'endpoints'>;

/** A version of the component, with the provider's endpoints. */
export function versionAt(
  { endpoints: { authorization, token } }: At,
  change: object = {},
): {
  readonly title: string;
  readonly file: string;
  readonly manifest: ManifestFacts;
} {
  const title = 'Pizza Van';
  const file = JSON.stringify({
    title,
    credentials: {
      fields: { oauth: { viewClass: 'OAuthFieldView' } },
      oauth2: {
        client_id: '{{PIZZAVAN_KEY}}',
        client_secret: '{{PIZZAVAN_SECRET}}',
        auth_uri: authorization,
        token_uri: token,
      },
    },
    useOAuthClient: true,
    envVars: { PIZZAVAN_KEY: { required: true }, PIZZAVAN_SECRET: { required: true } },
    actions: { bake: { main: './bake.js' } },
    ...change,
  });
  const { manifest } = readManifest(file);
  if (manifest === undefined) throw new Error('The manifest is refused');
  return { title, file, manifest };
}

/** @returns its id */
export async function pizzaVan({ parts, tenant }: Harness, id: string, at: At, change: object = {}): Promise<string> {
  const event = { type: 'component.created', ...caller };
  await parts.registry.components.create({ tenant, id, access: 'tenant', ...versionAt(at, change), event });
  return id;
}

interface Client {
  readonly component: string;
  readonly client: string;
  readonly secret: string;
  readonly audience: readonly string[];
  readonly update?: boolean;
  readonly legacy?: boolean;
  readonly base?: OAuthClientBase;
}

/** Save the tenant's client "pizza" for a component, its secret watched. */
export function saveClient(
  { parts, tenant, tripwire }: Harness,
  { secret, ...client }: Client,
): ReturnType<Harness['parts']['oauthClients']['save']> {
  tripwire.watch([secret]);
  const request = { tenant, clientId: 'pizza', legacy: false, update: false, ...client };
  return parts.oauthClients.save({ ...request, clientSecret: new Secret(secret) }, caller);
}

/** An integration of the component that waits for a consent. */
export const throughClient = (
  { issuer, apiBaseUrl, endpoints }: ScriptedProvider,
  component: string,
  client: string,
): SaveScene => ({
  at: { issuer, apiUrl: apiBaseUrl },
  component: { id: component, client },
  change: {
    grant_type: 'authorization_code',
    client_id: 'pizza',
    scope: 'orders.read',
    endpoints: { authorization: endpoints.authorization, token: endpoints.token, revocation: endpoints.revocation },
    redirect_uri: CALLBACK,
    rotation: 'none',
  },
});
