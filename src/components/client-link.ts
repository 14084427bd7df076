/** Which env vars stand for the client id and the client secret. */
import type { EnvVar, OAuth2 } from './contract';
import type { Notes, Place } from './places';
import { soleVariable } from '../connection/template';

type Links = Pick<OAuth2, 'clientIdVariable' | 'clientSecretVariable'>;

const ID = /(^|_)(KEY|ID)$/;
const SECRET = /SECRET$/;

const namesLike = (pattern: RegExp, envVars: Readonly<Record<string, EnvVar>>): string[] =>
  Object.keys(envVars).filter((name) => pattern.test(name));

/** Whether the names of the variables are those of a client id and its secret. */
export const looksLikeClient = (envVars: Readonly<Record<string, EnvVar>>): boolean =>
  namesLike(ID, envVars).length > 0 && namesLike(SECRET, envVars).length > 0;

export interface Written {
  readonly text: string;
  readonly at: Place;
}

/**
 * Link by `{{VARIABLE}}`, and what is empty by name (C26). Nothing is linked by name unless there is a candidate for
 * every empty one: a lone API_KEY is no client id.
 * @param fields keys of the credential's fields: what a person fills in is no env var
 */
export function linkClient(
  clientId: Written,
  clientSecret: Written,
  envVars: Readonly<Record<string, EnvVar>>,
  fields: readonly string[],
  notes: Notes,
): Links {
  const id = { ...clientId, name: 'client_id', candidates: namesLike(ID, envVars) };
  const secret = { ...clientSecret, name: 'client_secret', candidates: namesLike(SECRET, envVars) };
  const byName = [id, secret].every(({ text, candidates }) => !isBlank(text) || candidates.length > 0);
  const link = (side: Side): string | undefined => {
    if (isBlank(side.text)) return byName ? linkByName(side, notes) : undefined;
    const variable = soleVariable(side.text);
    if (variable === undefined || Object.hasOwn(envVars, variable)) return variable;
    return fields.includes(variable) ? undefined : variable;
  };
  const [clientIdVariable, clientSecretVariable] = [link(id), link(secret)];
  return { ...(clientIdVariable && { clientIdVariable }), ...(clientSecretVariable && { clientSecretVariable }) };
}

interface Side extends Written {
  readonly name: string;
  readonly candidates: readonly string[];
}

function linkByName({ name, at, candidates }: Side, notes: Notes): string | undefined {
  const forms = candidates.map((variable) => `"{{${variable}}}"`);
  if (candidates.length === 1) {
    notes.warn('LINKED_BY_NAME', at, `taken to be the variable ${candidates[0]}: write "${name}": ${forms[0]}`);
    return candidates[0];
  }
  const message = `${name} is empty and several variables could be it: write ${forms.join(' or ')}`;
  notes.error('LINK_AMBIGUOUS', at, message);
  return undefined;
}

const isBlank = (text: string): boolean => text.trim() === '';
