/** A failed request to an authorization server or an API. */
import { DurableOAuthError, isDurableOAuthError } from '../errors';
import type { OAuthFailureFacts } from './contract';

/** Carries classified facts only: no foreign error, no prose of the provider, no credentials. */
export class OAuthFailure extends DurableOAuthError {
  readonly facts: OAuthFailureFacts;

  /** @param attempted what was attempted, in our words */
  constructor(attempted: string, facts: OAuthFailureFacts) {
    super(facts.code, attempted, {
      class: facts.class,
      status: facts.httpStatus,
      error: facts.oauthError,
      request: facts.requestId,
      sent: facts.sent,
    });
    this.facts = facts;
  }
}

export function isOAuthFailure(error: unknown): error is OAuthFailure {
  return isDurableOAuthError(error) && 'facts' in error;
}
