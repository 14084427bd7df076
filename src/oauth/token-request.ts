/** A request to an authorization server, with the client's proof (RFC 6749 sections 2.3.1, 4 and 6; RFC 7009 section 2.1). */
import { clientProof } from './client-auth';
import type { OAuthClientTarget } from './contract';

export type Parameters = Readonly<Record<string, string | undefined>>;

export interface Encoded {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** For the token endpoint: in the preset's format, with its parameters; the protocol's own win. */
export function tokenRequest(target: OAuthClientTarget, parameters: Parameters): Encoded {
  const { token_params: extra, body_format: format } = target.preset;
  return encoded(target, { ...extra, ...present(parameters) }, format);
}

/** For the revocation endpoint, which is always form-encoded. */
export function revocationRequest(target: OAuthClientTarget, parameters: Parameters): Encoded {
  return encoded(target, present(parameters), 'form');
}

function encoded(target: OAuthClientTarget, parameters: Record<string, string>, format: 'form' | 'json'): Encoded {
  const proof = clientProof(target);
  const all = { ...parameters, ...proof.body };
  const type = format === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  return {
    headers: { 'content-type': type, ...proof.headers },
    body: format === 'json' ? JSON.stringify(all) : new URLSearchParams(all).toString(),
  };
}

/** A parameter without a value must be left out (RFC 6749 section 3.1). */
function present(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}
