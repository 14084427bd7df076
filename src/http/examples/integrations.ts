/** Providers, integrations, and tokens that another program refreshed so far. */
import { importConnections } from '../schemas/import';
import { changeIntegration, saveIntegration } from '../schemas/integration';
import { changeProvider, createProvider } from '../schemas/provider';
import { row, type Row } from './example';

const shop = {
  label: 'Shop',
  token_url: 'https://login.shop.example/token',
  revocation_url: 'https://login.shop.example/revoke',
  client_id: 'acme-at-shop',
  client_secret: 'the-secret-of-acme-at-shop',
  scope: 'orders.read orders.write',
  api_base_url: 'https://api.shop.example/v1',
};

const accounts = {
  template: shop,
  entries: [
    { id: 'shop-madrid', refresh_token: 'the-refresh-token-of-madrid', region: 'ES', owner: 'ann@acme.example' },
    { id: 'shop-paris', refresh_token: 'the-refresh-token-of-paris', region: 'FR', label: 'Shop of Paris' },
  ],
};

export const INTEGRATIONS: readonly Row[] = [
  row(createProvider, {
    provider: {
      summary: 'What all integrations with one provider have in common',
      value: {
        data: {
          type: 'provider',
          id: 'pv_pizzavan',
          attributes: {
            title: 'Pizza Van',
            authorization_url: 'https://auth.pizzavan.example/authorize',
            token_url: 'https://auth.pizzavan.example/token',
            revocation_url: 'https://auth.pizzavan.example/revoke',
            api_base_url: 'https://api.pizzavan.example',
            scope: { default: 'orders.read' },
            rotation: { mode: 'strict' },
            lifetime: { idle_limit_seconds: 7_776_000 },
          },
        },
      },
    },
  }),
  row(changeProvider, {
    scope: {
      summary: 'What new integrations ask for',
      value: { data: { type: 'provider', attributes: { scope: { default: 'orders.read menu.read' } } } },
    },
  }),
  row(saveIntegration, {
    'client-credentials': {
      summary: 'Machine to machine: connected by the save',
      value: { data: { type: 'integration', attributes: { ...shop, grant_type: 'client_credentials' } } },
    },
    'authorization-code': {
      summary: 'A person consents: the answer holds the link that asks for it',
      value: {
        data: {
          type: 'integration',
          attributes: {
            label: 'Calendar',
            grant_type: 'authorization_code',
            preset: 'google',
            client_id: 'acme-at-google',
            client_secret: 'the-secret-of-acme-at-google',
            scope: 'openid email https://www.googleapis.com/auth/calendar.readonly',
            api_base_url: 'https://www.googleapis.com/calendar/v3',
            tenant_id: 'customer-4711',
            owner: 'ann@acme.example',
          },
        },
      },
    },
    'refresh-token': {
      summary: 'A refresh token that somebody was given; it is used at once',
      value: {
        data: {
          type: 'integration',
          attributes: {
            ...shop,
            grant_type: 'refresh_token',
            refresh_token: 'the-refresh-token-of-ann',
            rotation: 'strict',
            account_role: 'owner',
          },
        },
      },
    },
    component: {
      summary: 'Through the OAuth client of a component, which brings endpoints and credentials',
      value: {
        data: {
          type: 'integration',
          attributes: {
            label: 'Pizza Van of Madrid',
            grant_type: 'authorization_code',
            api_base_url: 'https://api.pizzavan.example',
          },
          relationships: { component: { data: { type: 'component', id: 'cp_pizzavan' } } },
        },
      },
    },
  }),
  row(changeIntegration, {
    settings: {
      summary: 'Read at the next use; null removes',
      value: {
        data: {
          type: 'integration',
          attributes: {
            label: 'Shop (Europe)',
            scope: 'orders.read',
            tenant_id: null,
            policy: { refresh_buffer_seconds: 600 },
          },
        },
      },
    },
  }),
  row(importConnections, {
    'dry-run': {
      summary: 'Checked only: nothing is sent or stored',
      value: { data: { type: 'import', attributes: { dry_run: true, ...accounts } } },
    },
    import: {
      summary: 'For real, after the program that refreshed them was stopped',
      value: { data: { type: 'import', attributes: { old_refresher_stopped: true, pace_seconds: 2, ...accounts } } },
    },
  }),
];
