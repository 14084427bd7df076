/** A component.json: text in, findings and a manifest out. */
import { looksLikeClient } from './client-link';
import type { Finding, Manifest } from './contract';
import { parseDocument } from './document';
import { readEnvVars } from './env-vars';
import { readFunctions } from './functions';
import { readOAuth2 } from './oauth2';
import { expectObject, member, membersOf, takeNotes, textAt, type Notes, type Place } from './places';
import { readClientSource } from './use-oauth-client';

export type { EnvVar, Finding, Manifest } from './contract';

/**
 * Read the text of a component.json. Unknown members are no concern; odd ones are warnings. Never throws.
 * @returns findings in the order they were met, and the manifest unless one of them is an error
 */
export function readManifest(text: string): { findings: readonly Finding[]; manifest?: Manifest } {
  const notes = takeNotes();
  const root = parseDocument(text, notes);
  const manifest = root && readRoot(root, notes);
  const { findings } = notes;
  if (manifest === undefined || findings.some(({ severity }) => severity === 'error')) return { findings };
  return { findings, manifest };
}

/**
 * The env vars that stand for the client id and the client secret. With `useOAuthClient` a step sees the OAuth client's
 * values in them; a legacy component has values of its own there.
 */
export function linkedVariables({ oauth2 }: Manifest): { clientId?: string; clientSecret?: string } {
  const { clientIdVariable: clientId, clientSecretVariable: clientSecret } = oauth2 ?? {};
  return { ...(clientId && { clientId }), ...(clientSecret && { clientSecret }) };
}

function readRoot(root: Place, notes: Notes): Manifest {
  const credentials = member(root, 'credentials');
  expectObject(credentials, notes);
  const texts = readTexts(root, notes);
  const source = readClientSource(root, credentials, notes);
  const envVars = readEnvVars(root, notes);
  const fields = membersOf(member(credentials, 'fields'), notes);
  const oauth2 = readOAuth2(root, credentials, { ...source, envVars, fields: fields.map(([key]) => key) }, notes);
  const oauthField = readOAuthField(fields, notes);
  const { useOAuthClient } = source;
  if (useOAuthClient && oauthField === undefined)
    notes.warn('OAUTH_FIELD_MISSING', member(credentials, 'fields'), 'no OAuthFieldView: no field gets the tokens');
  if (member(credentials, 'oauth1').value !== undefined)
    notes.warn('OAUTH1_UNSUPPORTED', member(credentials, 'oauth1'), 'OAuth 1 cannot be used');
  const showsOAuth = oauth2 !== undefined || oauthField !== undefined || looksLikeClient(envVars);
  return {
    ...texts,
    useOAuthClient,
    ...(oauthField !== undefined && { oauthField }),
    ...(oauth2 && { oauth2 }),
    envVars,
    functions: readFunctions(root, notes),
    legacyOAuth: !useOAuthClient && showsOAuth,
  };
}

function readTexts(root: Place, notes: Notes): Pick<Manifest, 'title' | 'version' | 'description'> {
  const title = textAt(member(root, 'title'), notes)?.trim();
  const version = textAt(member(root, 'version'), notes);
  const description = textAt(member(root, 'description'), notes);
  if (!title) notes.warn('TITLE_MISSING', member(root, 'title'), 'people are shown no name');
  if (version !== undefined && !SEMANTIC_VERSION.test(version))
    notes.warn('VERSION_INVALID', member(root, 'version'), 'not a semantic version, as 1.0.0 is one');
  return {
    ...(title && { title }),
    ...(version !== undefined && { version }),
    ...(description !== undefined && { description }),
  };
}

const SEMANTIC_VERSION = /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/;

/** The key is free: `oauth`, `oauth2` and `oauth_2_0` occur. */
function readOAuthField(fields: readonly [string, Place][], notes: Notes): string | undefined {
  const found = fields.filter(
    ([, at]) => expectObject(at, notes) && member(at, 'viewClass').value === 'OAuthFieldView',
  );
  for (const [, at] of found.slice(1))
    notes.warn('OAUTH_FIELD_AMBIGUOUS', at, `tokens are put into the field ${found[0]![0]}`);
  return found[0]?.[0];
}
