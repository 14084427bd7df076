import { describeParameter, namesOf } from '../../../src/http/openapi/operations';

it.each([
  ['GET', '/v2/tenants/:tenant/connections', 'listConnections', 'List connections'],
  ['GET', '/v2/tenants/:tenant/oauth-clients/:id', 'getOauthClient', 'Read an OAuth client'],
  ['PATCH', '/v2/tenants/:tenant/oauth-clients/:id', 'updateOauthClient', 'Update an OAuth client'],
  [
    'POST',
    '/v2/tenants/:tenant/connections/:id/consent-links',
    'createConnectionConsentLink',
    'Create a consent link of a connection',
  ],
  ['GET', '/v2/tenants/:tenant/connections/:id/events', 'listConnectionEvents', 'List events of a connection'],
  ['GET', '/v2/tenants/:tenant/connections/:id/impact', 'getConnectionImpact', 'Read the impact of a connection'],
  [
    'POST',
    '/v2/tenants/:tenant/connections/:id/refreshes',
    'createConnectionRefresh',
    'Create a refresh of a connection',
  ],
  ['DELETE', '/v2/tenants/:tenant/flows/:id/versions/:v', 'deleteFlowVersion', 'Delete a version of a flow'],
  ['GET', '/v2/grant-types/:type/fields', 'listGrantTypeFields', 'List fields of a grant type'],
])('%s %s is %s: %s', (method, url, operationId, summary) => {
  expect(namesOf(method, url)).toMatchObject({ operationId, summary });
});

it.each([
  ['id', '/v2/tenants/{tenant}/oauth-clients/{id}', 'Id of the OAuth client'],
  ['type', '/v2/grant-types/:type/fields', 'Type of the grant type'],
  ['filter[tenant_id]', '/v2/tenants/{tenant}/connections', 'Only those with this tenant id; empty filters nothing'],
  ['provider', '/v2/grant-types/{type}/fields', 'Provider'],
])('the parameter %s of %s is described', (name, url, description) => {
  expect(describeParameter(name, url)).toBe(description);
});
