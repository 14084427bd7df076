/** Components, their OAuth clients, and the flows that include them. */
import { changeComponent, changeEnvVars, uploadComponent, uploadVersion } from '../schemas/component';
import { changeFlow, createFlow } from '../schemas/flow';
import { changeOAuthClient, createOAuthClient } from '../schemas/oauth-client';
import { row, type Row } from './example';

/** As docs/component-json.md tells people to write it. */
const file = {
  title: 'Pizza Van',
  useOAuthClient: true,
  credentials: {
    fields: { oauth: { label: 'Account', viewClass: 'OAuthFieldView', required: true } },
    oauth2: {
      client_id: '{{PIZZAVAN_KEY}}',
      client_secret: '{{PIZZAVAN_SECRET}}',
      auth_uri: 'https://auth.pizzavan.example/authorize',
      token_uri: 'https://auth.pizzavan.example/token',
      scopes: ['orders.read'],
      access_type: 'offline',
    },
  },
  envVars: {
    PIZZAVAN_KEY: { required: true, description: 'Your Pizza Van OAuth client key' },
    PIZZAVAN_SECRET: { required: true, description: 'Your Pizza Van OAuth client secret' },
    PIZZAVAN_LANGUAGE: { description: 'Language of the menu' },
  },
  triggers: { newOrder: { title: 'New order', main: './lib/new-order.js' } },
};
const component = { type: 'component', id: 'cp_pizzavan' } as const;
/** Needs no OAuth client. */
const kitchen = { type: 'component', id: 'cp_kitchen' } as const;
const connection = { type: 'connection', id: 'cn_pizzavan' } as const;
const relationships = { component: { data: component } };

export const COMPONENTS: readonly Row[] = [
  row(uploadComponent, {
    component: {
      summary: 'A component.json, for this tenant',
      value: { data: { type: 'component', attributes: { file, access: 'tenant' } } },
    },
  }),
  row(uploadVersion, {
    version: {
      summary: 'A newer component.json, as the text of the file',
      value: {
        data: {
          type: 'component',
          attributes: { file: JSON.stringify({ ...file, description: 'Orders by the van' }) },
        },
      },
    },
  }),
  row(changeComponent, {
    team: {
      summary: 'For one team',
      value: { data: { type: 'component', attributes: { access: 'team', team: 'Kitchen' } } },
    },
  }),
  row(changeEnvVars, {
    'env-vars': {
      summary: 'A value for a variable that its component.json declares; null unsets',
      value: { data: { type: 'env-vars', attributes: { PIZZAVAN_LANGUAGE: 'es' } } },
    },
  }),
  row(createOAuthClient, {
    'oauth-client': {
      summary: 'What the provider showed when the application was registered',
      value: {
        data: {
          type: 'oauth-client',
          attributes: { client_id: 'pizzavan-acme', client_secret: 'the-secret-of-pizzavan-acme' },
          relationships,
        },
      },
    },
  }),
  row(changeOAuthClient, {
    secret: {
      summary: 'A new secret',
      value: {
        data: {
          type: 'oauth-client',
          attributes: { client_id: 'pizzavan-acme', client_secret: 'the-next-secret-of-pizzavan-acme' },
          relationships,
        },
      },
    },
  }),
  row(createFlow, {
    flow: {
      summary: 'With a component and the connection it uses',
      value: {
        data: {
          type: 'flow',
          attributes: { name: 'Orders to the kitchen', status: 'running', schedule: '*/5 * * * *' },
          relationships: { components: { data: [kitchen] }, connections: { data: [connection] } },
        },
      },
    },
  }),
  row(changeFlow, {
    stop: {
      summary: 'Stopped',
      value: { data: { type: 'flow', attributes: { status: 'stopped' } } },
    },
    connections: {
      summary: 'Through another connection',
      value: {
        data: {
          type: 'flow',
          relationships: { connections: { data: [{ type: 'connection', id: 'cn_pizzavan_madrid' }] } },
        },
      },
    },
  }),
];
