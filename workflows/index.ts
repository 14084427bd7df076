/**
 * The workflow types of this package. Every export of this door is startable: helpers of flow authors live behind
 * `durable-oauth/workflow`.
 */
export { changeIntegrationWorkflow } from './change-integration';
export { connectionWorkflow } from './connection';
export { consentWorkflow } from './consent';
export { retireIntegrationWorkflow } from './retire-integration';
export { retireOAuthClientWorkflow } from './retire-oauth-client';
export { saveIntegrationWorkflow } from './save-integration';
export { saveOAuthClientWorkflow } from './save-oauth-client';
