/** How an OAuth client proves itself at the token endpoint (RFC 6749 section 2.3.1). */
import type { OAuthClientTarget } from './contract';

export interface ClientProof {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, string>>;
}

export function clientProof(target: OAuthClientTarget): ClientProof {
  const { clientAuth, clientId, clientSecret } = target;
  const secret = clientSecret?.reveal();
  if (clientAuth === 'none' || secret === undefined) return { headers: {}, body: { client_id: clientId } };
  if (clientAuth === 'client_secret_post') {
    return { headers: {}, body: { client_id: clientId, client_secret: secret } };
  }
  const encode = ENCODINGS[target.preset.basic_encoding];
  const credentials = Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString('base64');
  return { headers: { authorization: `Basic ${credentials}` }, body: {} };
}

/** The RFC form-encodes both parts; many servers take them raw; `interop` escapes only what would break the pair. */
const ENCODINGS: Readonly<Record<OAuthClientTarget['preset']['basic_encoding'], (text: string) => string>> = {
  rfc6749: (text) => new URLSearchParams({ x: text }).toString().slice(2),
  raw: (text) => text,
  interop: (text) => text.replaceAll(':', '%3A'),
};
