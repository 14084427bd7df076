/** What the demo has to look at: a component with its OAuth client, three connections, and a flow that includes them. */
import { obtainTokens } from './obtain-tokens';
import { CLIENTS, codeIntegration, robotIntegration, SCOPE, type Demo } from './setup';

/** @returns the connection that holds a pasted refresh token */
export async function savePasted(demo: Demo): Promise<string> {
  const { refreshToken } = await obtainTokens(demo.provider, CLIENTS.pasted, {
    redirectUri: demo.callbackUrl,
    login: 'pat',
    scope: SCOPE,
  });
  return demo.rest.save({
    ...codeIntegration('Pasted refresh token', CLIENTS.pasted),
    grant_type: 'refresh_token',
    refresh_token: refreshToken.reveal(),
  });
}

/** A component, the tenant's OAuth client for it, and a flow that includes the component and the connections. */
export async function saveFlow({ rest, provider }: Demo, connections: readonly string[]): Promise<void> {
  const { authorization, token } = provider.endpoints;
  const oauth2 = { client_id: '', client_secret: '', auth_uri: authorization, token_uri: token };
  const file = {
    title: 'Demo Shop',
    useOAuthClient: true,
    credentials: { oauth2 },
    triggers: { newOrder: { title: 'New order', main: './lib/new-order.js' } },
  };
  const id = await rest.create('components', { type: 'component', attributes: { file } });
  const component = { type: 'component', id };
  const { clientId, clientSecret } = CLIENTS.app;
  await rest.create('oauth-clients', {
    type: 'oauth-client',
    attributes: { client_id: clientId, client_secret: clientSecret },
    relationships: { component: { data: component } },
  });
  await rest.create('flows', {
    type: 'flow',
    attributes: { name: 'Orders to the warehouse', status: 'running' },
    relationships: {
      components: { data: [component] },
      connections: { data: connections.map((one) => ({ type: 'connection', id: one })) },
    },
  });
}

export async function firstStart(demo: Demo, say: (line: string) => void): Promise<void> {
  if ((await demo.rest.integrations()).length > 0) return say('Found the connections of an earlier start.');
  say('Saving one integration per grant type, and a component with its OAuth client and a flow …');
  const { rest } = demo;
  const connections = [
    await rest.save(robotIntegration()),
    await savePasted(demo),
    await rest.save(codeIntegration('Shop (authorization code)', CLIENTS.app)),
  ];
  await saveFlow(demo, connections);
}
