/** Random values of an authorization request: PKCE (RFC 7636), state and nonce. */
import { createHash, randomBytes } from 'node:crypto';

/** @param bytes 32 = 256 bits, 43 characters; a PKCE verifier takes 32 to 96 bytes (RFC 7636 section 4.1) */
export const randomToken = (bytes = 32): string => randomBytes(bytes).toString('base64url');

/** @returns base64url(sha256(verifier)), RFC 7636 section 4.2 */
export const codeChallenge = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');
