/**
 * The workflow types of this package. Every export of this door is startable: helpers of flow authors live behind
 * `durable-oauth/workflow`.
 */
export { connectionWorkflow } from './connection';
export { consentWorkflow } from './consent';
export { saveIntegrationWorkflow } from './save-integration';
