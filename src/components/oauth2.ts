/** `oauth2` of a component.json: endpoints, client, scopes and what the provider wants besides. */
import { linkClient } from './client-link';
import type { EnvVar, OAuth2 } from './contract';
import {
  oauth2Members,
  readAuthorizationParams,
  readClientAuth,
  readScopes,
  stringAt,
  type OAuth2Members,
} from './oauth2-members';
import type { Notes, Place } from './places';
import { variablesIn } from '../connection/template';
import type { ClientSource } from './use-oauth-client';

export interface Surroundings extends ClientSource {
  readonly envVars: Readonly<Record<string, EnvVar>>;
  /** Keys of the credential's fields, which the person who connects fills in. */
  readonly fields: readonly string[];
}

/** @returns undefined after an error, and where the file names no endpoints */
export function readOAuth2(root: Place, credentials: Place, around: Surroundings, notes: Notes): OAuth2 | undefined {
  const members = oauth2Members(root, credentials, notes);
  if (members === undefined) {
    if (around.useOAuthClient) withoutEndpoints({ pointer: '/credentials/oauth2' }, notes);
    return undefined;
  }
  const read: OAuth2 = {
    authUri: stringAt(members.at('auth_uri'), notes),
    tokenUri: stringAt(members.at('token_uri'), notes),
    scopes: readScopes(members.at('scopes'), notes),
    clientAuth: readClientAuth(members.at('client_auth'), notes),
    authorizationParams: readAuthorizationParams(members, notes),
    ...readClient(members, around, notes),
  };
  warnOfUndeclared(read, members, around, notes);
  if (around.endpointsElsewhere && read.authUri === '' && read.tokenUri === '') {
    withoutEndpoints(members, notes);
    return undefined;
  }
  checkEndpoint(members.at('auth_uri'), 'auth_uri', notes);
  checkEndpoint(members.at('token_uri'), 'token_uri', notes);
  return read;
}

const withoutEndpoints = (at: { pointer: string }, notes: Notes): void =>
  notes.warn('ENDPOINTS_MISSING', at, 'no auth_uri and token_uri: an integration must name the endpoints');

function checkEndpoint(place: Place, name: string, notes: Notes): void {
  const { value } = place;
  // Another type was an error already.
  if (value !== undefined && typeof value !== 'string') return;
  if (value === undefined || value.trim() === '') notes.error('MEMBER_MISSING', place, `${name} is missing`);
  else if (variablesIn(value).length === 0 && !isEndpoint(value))
    notes.error('ENDPOINT_INVALID', place, `${name} must be an absolute https URL`);
}

function isEndpoint(text: string): boolean {
  if (!/^https?:\/\/\S+$/i.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || /^((.+\.)?localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(hostname);
}

function readClient(
  members: OAuth2Members,
  { envVars, fields }: Surroundings,
  notes: Notes,
): Pick<OAuth2, 'clientId' | 'clientSecret' | 'clientIdVariable' | 'clientSecretVariable'> {
  const written = (name: string): { text: string; at: Place } => {
    const at = members.at(name);
    return { text: stringAt(at, notes), at };
  };
  const [id, secret] = [written('client_id'), written('client_secret')];
  if (secret.text.trim() !== '' && variablesIn(secret.text).length === 0)
    notes.warn('SECRET_IN_FILE', secret.at, 'whoever has the file has the secret: write "" or "{{…}}"');
  const links = linkClient(id, secret, envVars, fields, notes);
  return { clientId: id.text, clientSecret: secret.text, ...links };
}

/** Loads, and fails when somebody connects: where the value comes from cannot be seen here. */
function warnOfUndeclared(read: OAuth2, members: OAuth2Members, around: Surroundings, notes: Notes): void {
  const filledByClient = around.useOAuthClient ? [read.clientIdVariable, read.clientSecretVariable] : [];
  const declared = new Set([...Object.keys(around.envVars), ...around.fields, ...filledByClient]);
  const texts = {
    auth_uri: read.authUri,
    token_uri: read.tokenUri,
    client_id: read.clientId,
    client_secret: read.clientSecret,
    ...read.authorizationParams,
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const variable of new Set(variablesIn(text).filter((one) => !declared.has(one))))
      notes.warn('VARIABLE_UNDECLARED', members.at(name), `${variable} is neither an env var nor a field`);
  }
}
