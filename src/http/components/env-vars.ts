/** Env vars of a component: what a request sets, told apart from the OAuth client that two of them stand for, and back. */
import type { z } from 'zod';
import type { ComponentRow, ManifestFacts } from '../../registry/contract-platform';
import { ProblemError, type Problem } from '../problem';
import type { component } from '../schemas/component';
import { confidential } from '../schemas/integration';

type Values = Readonly<Record<string, string | null>>;
type Shown = z.output<typeof component>['attributes']['env_vars'][number];

export interface EnvChanges {
  /** Not secret; null unsets. */
  readonly env: Values;
  /** Null ends it. */
  readonly client?: { readonly clientId: string; readonly clientSecret: string } | null;
}

const LOOKS_SECRET = /SECRET|PASSWORD|TOKEN|PRIVATE/i;

/** @throws ProblemError with one problem for each value that cannot be set */
export function readEnvVars(manifest: ManifestFacts, values: Values): EnvChanges {
  const names = Object.keys(values);
  const linked = linkedVariables(manifest);
  const ofClient = names.filter((name) => linked.includes(name));
  const plain = names.filter((name) => !linked.includes(name));
  const problems = [...plain.flatMap((name) => inPlain(name, manifest)), ...inClient(ofClient, manifest, values)];
  if (problems.length > 0) throw new ProblemError(problems);
  const env = Object.fromEntries(plain.map((name) => [name, values[name] ?? null]));
  return ofClient.length === 0 ? { env } : { env, client: clientOf(manifest, values) };
}

/** @param own whether it is the tenant's who looks: another one is not shown the values */
export function showEnvVars({ manifest, env, client }: ComponentRow, own: boolean): Shown[] {
  const legacy = client?.legacy === true ? client : undefined;
  const { clientIdVariable, clientSecretVariable } = manifest.oauth2 ?? {};
  // The database does not keep the order of the file.
  const declarations = Object.entries(manifest.envVars).sort(([one], [another]) => (one < another ? -1 : 1));
  return declarations.map(([name, { required, description }]) => {
    const declared = { name, required, description };
    if (!own) return declared;
    if (manifest.legacyOAuth && name === clientSecretVariable) {
      const known = { set_at: legacy?.secretSetAt ?? undefined, fingerprint: legacy?.secretFingerprint ?? undefined };
      return { ...declared, set: legacy !== undefined, ...known };
    }
    if (linkedVariables(manifest).includes(name)) {
      return { ...declared, value: name === clientIdVariable ? legacy?.clientId : undefined };
    }
    return { ...declared, value: Object.hasOwn(env, name) ? env[name] : undefined };
  });
}

/** The variables of the client. Without one for the secret there is no client: the id is a value like others. */
function linkedVariables({ oauth2 }: ManifestFacts): readonly string[] {
  const { clientIdVariable, clientSecretVariable } = oauth2 ?? {};
  if (clientSecretVariable === undefined) return [];
  return [...new Set([clientIdVariable ?? clientSecretVariable, clientSecretVariable])];
}

function inPlain(name: string, { envVars }: ManifestFacts): Problem[] {
  if (!Object.hasOwn(envVars, name)) return [at(name, 'component.json declares no such variable')];
  if (LOOKS_SECRET.test(name)) return [at(name, 'Only OAuth credentials are kept as secrets here')];
  return [];
}

function inClient(names: readonly string[], manifest: ManifestFacts, values: Values): Problem[] {
  if (names.length === 0) return [];
  const together = linkedVariables(manifest);
  // Of any version: the credentials may be left from one before it.
  if (together.every((name) => values[name] === null)) return [];
  if (!manifest.legacyOAuth) {
    return names.map((name) => at(name, 'This variable is filled from the OAuth client of each tenant'));
  }
  return together.flatMap((name) => {
    if ((values[name] ?? '') === '') {
      return [at(name, `Set together, or to null together: ${together.join(', ')} are one OAuth client`)];
    }
    const { error } = confidential.safeParse(values[name]);
    if (error === undefined || name !== manifest.oauth2?.clientSecretVariable) return [];
    const masked = error.issues.some((issue) => issue.code === 'custom');
    return [{ ...at(name, error.issues[0]?.message ?? ''), code: masked ? 'SECRET_MASKED' : 'MEMBER_INVALID' }];
  });
}

function clientOf({ oauth2 }: ManifestFacts, values: Values): EnvChanges['client'] {
  const { clientId = '', clientIdVariable, clientSecretVariable = '' } = oauth2 ?? {};
  if (values[clientSecretVariable] === null) return null;
  return {
    clientId: clientIdVariable === undefined ? clientId : (values[clientIdVariable] ?? ''),
    clientSecret: values[clientSecretVariable] ?? '',
  };
}

const at = (name: string, detail: string): Problem => ({
  code: 'MEMBER_INVALID',
  detail,
  pointer: `/data/attributes/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
});
