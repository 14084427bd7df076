/** Activities of the queue `durable-oauth`, built from ports. Workflows see their types only (activities/contract.ts). */
import { createAdoptGrant, type AdoptDeps } from './adopt-grant';
import {
  createProveClient,
  createPublishIntegrationChange,
  createRecordChangeNotMade,
  type ChangeDeps,
} from './change-integration';
import { createCompleteConsentLink } from './complete-consent-link';
import type { DurableOAuthActivities } from './contract';
import { createDestroySecrets, type DestroyDeps } from './destroy-secrets';
import { createExchangeAuthorizationCode, type ExchangeDeps } from './exchange-authorization-code';
import { createHandOverGrant } from './hand-over-grant';
import { createLoadConnection } from './load-connection';
import { createRecordConsent } from './record-consent';
import { createRecordTransition, type RecordTransitionDeps } from './record-transition';
import { createRecoverRefresh, type RecoverDeps } from './recover-refresh';
import { createRefreshTokenSet, type RefreshDeps } from './refresh-token-set';
import { createRegisterIntegration, type RegisterDeps } from './register-integration';
import {
  createDisconnectIntegration,
  createRecordIntegrationDeleted,
  type RetireIntegrationDeps,
} from './retire-integration';
import {
  createDisconnectOAuthClient,
  createRecordOAuthClientDeleted,
  type RetireClientDeps,
} from './retire-oauth-client';
import { createRevokeGrant, type RevokeDeps } from './revoke-grant';
import {
  createPublishOAuthClient,
  createReserveOAuthClient,
  createStoreClientSecret,
  createUndoOAuthClient,
  type SaveClientDeps,
} from './save-oauth-client';
import { createStoreEscrowedTokenSet, type StoreDeps } from './store-escrowed-token-set';
import { createValidateIntegration, type ValidateDeps } from './validate-integration';

export type ActivityDeps = AdoptDeps &
  ChangeDeps &
  Parameters<typeof createCompleteConsentLink>[0] &
  DestroyDeps &
  ExchangeDeps &
  Parameters<typeof createHandOverGrant>[0] &
  Parameters<typeof createRecordConsent>[0] &
  RecordTransitionDeps &
  RecoverDeps &
  RefreshDeps &
  RegisterDeps &
  RetireClientDeps &
  RetireIntegrationDeps &
  RevokeDeps &
  SaveClientDeps &
  StoreDeps &
  ValidateDeps;

export function createActivities(deps: ActivityDeps): DurableOAuthActivities {
  return {
    loadConnection: createLoadConnection(deps),
    refreshTokenSet: createRefreshTokenSet(deps),
    storeEscrowedTokenSet: createStoreEscrowedTokenSet(deps),
    recoverRefresh: createRecoverRefresh(deps),
    adoptGrant: createAdoptGrant(deps),
    revokeGrant: createRevokeGrant(deps),
    destroySecrets: createDestroySecrets(deps),
    recordTransition: createRecordTransition(deps),
    exchangeAuthorizationCode: createExchangeAuthorizationCode(deps),
    handOverGrant: createHandOverGrant(deps),
    completeConsentLink: createCompleteConsentLink(deps),
    recordConsent: createRecordConsent(deps),
    validateIntegration: createValidateIntegration(deps),
    registerIntegration: createRegisterIntegration(deps),
    proveClient: createProveClient(deps),
    publishIntegrationChange: createPublishIntegrationChange(deps),
    recordChangeNotMade: createRecordChangeNotMade(deps),
    reserveOAuthClient: createReserveOAuthClient(deps),
    storeClientSecret: createStoreClientSecret(deps),
    publishOAuthClient: createPublishOAuthClient(deps),
    undoOAuthClient: createUndoOAuthClient(deps),
    disconnectOAuthClient: createDisconnectOAuthClient(deps),
    recordOAuthClientDeleted: createRecordOAuthClientDeleted(deps),
    disconnectIntegration: createDisconnectIntegration(deps),
    recordIntegrationDeleted: createRecordIntegrationDeleted(deps),
  };
}

export type { DurableOAuthActivities, RequestActivities } from './contract';
export { connectionInterceptor, withConnection } from './with-connection';
