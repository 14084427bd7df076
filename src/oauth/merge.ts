import type { MergeTokenSet } from './contract';
import { grantedScope } from './scope';

/**
 * Make a token answer the next token set of its grant. An answer without refresh token keeps the old one (RFC 6749
 * section 6); account and the time of consent belong to the grant and are carried over.
 */
export const mergeTokenSet: MergeTokenSet = (previous, answer, askedScope) => ({
  kind: 'token_set',
  accessToken: answer.accessToken,
  refreshToken: answer.refreshToken ?? previous?.refreshToken,
  tokenType: answer.tokenType,
  scope: grantedScope(answer.scope, askedScope),
  issuedAt: answer.issuedAt,
  receivedAt: answer.receivedAt,
  expiresAt: answer.expiresAt,
  lifetimeSeconds: answer.lifetimeSeconds,
  account: previous?.account ?? answer.account,
  grantedAt: previous?.grantedAt ?? answer.receivedAt,
  audience: previous?.audience ?? [],
  clientId: previous?.clientId,
});
