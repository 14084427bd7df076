/** Which origins a component's OAuth endpoints have: where people and client secrets are sent. */
import { fillTemplate } from '../../connection/template';
import type { ManifestFacts } from '../contract-platform';

interface Endpoints {
  readonly manifest: Pick<ManifestFacts, 'oauth2'>;
  readonly env: Readonly<Record<string, string>>;
}

/** Scheme and authority of what is no URL yet. */
const AS_WRITTEN = /^[^/?#]*(?:\/\/[^/?#]*)?/;

/** Whether an endpoint leads to another origin after the change than before. Endpoints that appear or go count. */
export function originsDiffer(before: Endpoints, after: Endpoints): boolean {
  return JSON.stringify(originsOf(before)) !== JSON.stringify(originsOf(after));
}

function originsOf({ manifest: { oauth2 }, env }: Endpoints): readonly string[] {
  return oauth2 === undefined ? [] : [originOf(oauth2.authUri, env), originOf(oauth2.tokenUri, env)];
}

/** Variables of the credential are filled per connection: those stay as they are written. */
function originOf(uri: string, env: Endpoints['env']): string {
  const filled = fillTemplate(uri.trim(), env);
  return URL.canParse(filled) ? new URL(filled).origin : (AS_WRITTEN.exec(filled)?.[0] ?? '').toLowerCase();
}
