/** An integration through the OAuth client a tenant has for a component: endpoints and client are not asked, but there. */
import { fillTemplate, variablesIn } from '../../connection/template';
import type { Registry } from '../../registry/contract';
import type { ClientForComponent, ComponentRow } from '../../registry/contract-platform';
import { ProblemError, type Problem } from '../problem';
import type { IntegrationAttributes } from '../schemas/integration';

const COMPONENT = '/data/relationships/component/data/id';

/** What the component and its OAuth client say; nobody says it again. */
const THEIRS = [
  'authorization_url',
  'token_url',
  'issuer',
  'client_id',
  'client_secret',
  'client_auth',
] as const satisfies readonly (keyof IntegrationAttributes)[];

export interface Through {
  readonly component: ComponentRow;
  readonly client: ClientForComponent;
}

/** @throws ProblemError NOT_FOUND; OAUTH_CLIENT_MISSING when the tenant has no client for it; OAUTH_CLIENT_UNUSABLE */
export async function throughComponent(registry: Registry, tenant: string, id: string): Promise<Through> {
  const component = await registry.components.accessible(tenant, id);
  if (component === undefined || component.manifest.oauth2 === undefined) {
    throw refused('NOT_FOUND', 'There is no such component, or it has no OAuth');
  }
  const { client } = component;
  if (client === null) throw refused('OAUTH_CLIENT_MISSING', 'Make an OAuth client for the component first');
  if (client.suspendedAt !== null) {
    const detail = 'The endpoints of the component moved: send the secret of its OAuth client again to confirm that';
    throw refused('OAUTH_CLIENT_UNUSABLE', detail);
  }
  return { component, client };
}

/**
 * The attributes as if everything had been typed in.
 * @throws ProblemError with a pointer for each member that is the component's, and for a variable without value
 */
export function asThrough(given: IntegrationAttributes, { component, client }: Through): IntegrationAttributes {
  const { authUri = '', tokenUri = '', clientAuth, scopes = [] } = component.manifest.oauth2 ?? {};
  const values = { ...given.fields, ...component.env };
  const [authorization_url, token_url] = [authUri, tokenUri].map((uri) => fillTemplate(uri, values));
  const missing = new Set([authorization_url, token_url].flatMap((url) => variablesIn(url ?? '')));
  const theirs = THEIRS.filter((name) => given[name] !== undefined);
  const problems: Problem[] = [
    ...(given.preset === 'generic' ? [] : [notYours('preset')]),
    ...theirs.map(notYours),
    ...[...missing].map((name): Problem => ({
      code: 'MEMBER_MISSING',
      status: 422,
      detail: `The endpoints of the component need a value for ${name}`,
      pointer: `/data/attributes/fields/${name}`,
    })),
    ...(['revocation_url', 'identity_url'] as const).flatMap((name): Problem[] =>
      given[name] === undefined || sameOrigin(given[name], token_url ?? '')
        ? []
        : [{ code: 'MEMBER_INVALID', detail: 'Must have the origin of the token endpoint', pointer: at(name) }],
    ),
  ];
  if (problems.length > 0) throw new ProblemError(problems);
  const scope = given.scope ?? scopes.join(' ');
  // The form's rules ask whether a secret is there: it is, in the vault.
  const held = { client_id: client.clientId, client_secret: 'held by the OAuth client', client_auth: clientAuth };
  return { ...given, ...held, authorization_url, token_url, scope };
}

/** Below the base, one redirect URI for all integrations through a client: one to register at the provider (C13). */
export const contextOfClient = (tenant: string, { id }: ClientForComponent): string => `${tenant}.${id}`;

const at = (name: string): string => `/data/attributes/${name}`;
const notYours = (name: string): Problem => ({
  code: 'MEMBER_INVALID',
  detail: 'Belongs to the component and its OAuth client',
  pointer: at(name),
});
const sameOrigin = (a: string, b: string): boolean =>
  URL.canParse(a) && URL.canParse(b) && new URL(a).origin === new URL(b).origin;
const refused = (code: Problem['code'], detail: string): ProblemError =>
  new ProblemError([{ code, detail, pointer: COMPONENT }]);
