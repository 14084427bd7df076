/** What outlives a deploy. A change here is a breaking change, with a new name beside the old one. */
import * as ids from '../../../src/connection/ids';
import * as messages from '../../../src/connection/messages';
import type {
  Carried,
  ChangeIntegrationInput,
  ConnectionInput,
  ConsentInput,
  RetireIntegrationInput,
  RetireOAuthClientInput,
  Retirement,
  SaveInput,
  SaveOAuthClientInput,
} from '../../../src/connection/messages';
import { ACTIVITY_POLICIES } from '../../../workflows/policies';

const REF = { tenant: 'acme', connection: 'cn_7q4' };

it('names of workflows and messages', () => {
  const names = Object.fromEntries(Object.entries(messages).filter(([, value]) => typeof value === 'string'));
  expect(names).toEqual({
    CONNECTION_WORKFLOW: 'connectionWorkflow',
    CONSENT_WORKFLOW: 'consentWorkflow',
    SAVE_WORKFLOW: 'saveIntegrationWorkflow',
    CHANGE_INTEGRATION_WORKFLOW: 'changeIntegrationWorkflow',
    SAVE_OAUTH_CLIENT_WORKFLOW: 'saveOAuthClientWorkflow',
    RETIRE_OAUTH_CLIENT_WORKFLOW: 'retireOAuthClientWorkflow',
    RETIRE_INTEGRATION_WORKFLOW: 'retireIntegrationWorkflow',
    ENSURE_FRESH: 'ensureFresh',
    REVOKE: 'revoke',
    GRANT_READY: 'grantReady',
    NUDGE: 'nudge',
    DESCRIBE: 'describe',
    OAUTH_CALLBACK: 'oauthCallback',
    COMPLETE_CONSENT: 'completeConsent',
    CONFIRM_CONSENT: 'confirmConsent',
    DESCRIBE_CONSENT: 'describeConsent',
  });
});

it('ids of workflows, refs of vault entries, task queues', () => {
  expect([
    ids.connectionWorkflowId(REF),
    ids.saveWorkflowId('acme', 'in_1'),
    ids.changeWorkflowId('acme', 'in_1'),
    ids.oauthClientWorkflowId('acme', 'oc_1'),
    ids.retireWorkflowId('acme', 'oc_1', true),
    ids.retireWorkflowId('acme', 'oc_1', false),
    ids.retireIntegrationWorkflowId('acme', 'in_1'),
    ids.consentWorkflowId('hash'),
    ids.clientSecretRef('acme', 'oc_1', 'sec_1'),
    ids.grantRef(REF, 'gr_1'),
    ids.envelopeKeyRef('kid'),
    ids.TASK_QUEUE,
    ids.REQUESTS_TASK_QUEUE,
  ]).toEqual([
    'connection/acme/cn_7q4',
    'save/acme/in_1',
    'change/acme/in_1',
    'oauth-client/acme/oc_1',
    'oauth-client/acme/oc_1/remove',
    'oauth-client/acme/oc_1/disconnect',
    'integration/acme/in_1/remove',
    'consent/hash',
    'client/acme/oc_1/sec_1',
    'grant/acme/cn_7q4/gr_1',
    'system/envelope/kid',
    'durable-oauth',
    'durable-oauth-requests',
  ]);
});

it('key sets of the payloads that histories keep', () => {
  const carried = {
    v: true, stateVersion: true, state: true, recovery: true, reason: true, since: true, evidence: true, grant: true,
    generation: true, issuedAt: true, expiresAt: true, lifetimeSeconds: true, refreshable: true, scope: true, policy: true,
    display: true, frozen: true, nextAttemptAt: true, failures: true, failingSince: true, ambiguous: true,
    fingerprints: true, owed: true, event: true, deliveries: true, refusals: true, consentDeadline: true, grantedAt: true,
    usedAt: true,
  } satisfies Record<keyof Carried, true>; // prettier-ignore
  const connection = {
    v: true, ref: true, tuning: true, carried: true, retiring: true,
  } satisfies Record<keyof ConnectionInput, true>; // prettier-ignore
  const retirement = {
    grant: true, why: true, since: true, sealed: true,
  } satisfies Record<keyof Retirement, true>; // prettier-ignore
  const consent = {
    v: true, ref: true, consent: true, link: true, mode: true, by: true, clientId: true, tokenOrigin: true, issuer: true,
    redirectUri: true, scope: true, browser: true, confirmation: true, confirmer: true, sealed: true, returnTo: true,
    lang: true, tuning: true,
  } satisfies Record<keyof ConsentInput, true>; // prettier-ignore
  const save = {
    v: true, tenant: true, integration: true, connection: true, client: true, component: true, secret: true, grant: true,
    lang: true, draft: true, about: true, sealed: true, tuning: true, by: true, traceId: true, auditReason: true,
  } satisfies Record<keyof SaveInput, true>; // prettier-ignore
  const saveClient = {
    v: true, tenant: true, client: true, component: true, clientId: true, secret: true, sealed: true, audience: true,
    legacy: true, update: true, base: true, by: true, traceId: true, auditReason: true,
  } satisfies Record<keyof SaveOAuthClientInput, true>; // prettier-ignore
  const change = {
    v: true, tenant: true, integration: true, client: true, secret: true, sealed: true, audience: true, from: true,
    base: true, to: true, members: true, by: true, traceId: true, auditReason: true,
  } satisfies Record<keyof ChangeIntegrationInput, true>; // prettier-ignore
  const retireClient = {
    v: true, tenant: true, client: true, remove: true, tuning: true, by: true, traceId: true, auditReason: true,
  } satisfies Record<keyof RetireOAuthClientInput, true>; // prettier-ignore
  const retireIntegration = {
    v: true, tenant: true, integration: true, tuning: true, by: true, traceId: true, auditReason: true,
  } satisfies Record<keyof RetireIntegrationInput, true>; // prettier-ignore
  const all = [carried, connection, retirement, consent, save, saveClient, change, retireClient, retireIntegration];
  expect(all.map((keys) => Object.keys(keys).length)).toEqual([29, 5, 4, 18, 16, 14, 14, 8, 7]);
});

it('a single-use send has one attempt, and what follows it is repeated without end', () => {
  for (const name of ['refreshTokenSet', 'exchangeAuthorizationCode', 'validateIntegration'] as const) {
    expect(ACTIVITY_POLICIES[name]).toMatchObject({
      retry: { maximumAttempts: 1 },
      startToCloseTimeout: 45_000,
      heartbeatTimeout: '25 s',
    });
  }
  for (const name of [
    'storeEscrowedTokenSet',
    'recoverRefresh',
    'adoptGrant',
    'handOverGrant',
    'completeConsentLink',
    'destroySecrets',
    'publishIntegrationChange',
    'recordChangeNotMade',
    'publishOAuthClient',
    'undoOAuthClient',
    'disconnectOAuthClient',
    'recordOAuthClientDeleted',
    'disconnectIntegration',
    'recordIntegrationDeleted',
  ] as const) {
    expect(ACTIVITY_POLICIES[name].retry?.maximumAttempts).toBeUndefined();
    expect(ACTIVITY_POLICIES[name].scheduleToCloseTimeout).toBeUndefined();
  }
});
