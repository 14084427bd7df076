/** Tenants, and who may do what in them. */
import { createKey } from '../schemas/api-key';
import { changePrincipal, createPrincipal } from '../schemas/principal';
import { createRoleGrant } from '../schemas/role-grant';
import { changeTenant, createTenant } from '../schemas/tenant';
import { row, type Row } from './example';

const principal = { data: { type: 'principal', id: 'pr_ann' } } as const;

export const ACCESS: readonly Row[] = [
  row(createTenant, {
    tenant: {
      summary: 'A tenant',
      value: { data: { type: 'tenant', id: 'acme', attributes: { name: 'Acme Inc' } } },
    },
  }),
  row(changeTenant, {
    name: {
      summary: 'Another name; the id stays',
      value: { data: { type: 'tenant', attributes: { name: 'Acme Europe' } } },
    },
  }),
  row(createPrincipal, {
    user: {
      summary: 'A person',
      value: { data: { type: 'principal', id: 'pr_ann', attributes: { email: 'ann@acme.example' } } },
    },
    'service-account': {
      summary: 'A program',
      value: {
        data: { type: 'principal', attributes: { email: 'order-sync@acme.example', kind: 'service_account' } },
      },
    },
  }),
  row(changePrincipal, {
    email: {
      summary: 'Another e-mail address; keys and rights stay',
      value: { data: { type: 'principal', attributes: { email: 'ann.lee@acme.example' } } },
    },
  }),
  row(createKey, {
    'api-key': {
      summary: 'For a program that sends requests through connections',
      value: {
        data: {
          type: 'api-key',
          attributes: { label: 'Order sync', scopes: ['tenants.connections.get', 'tenants.connections.request'] },
        },
      },
    },
  }),
  row(createRoleGrant, {
    role: {
      summary: 'A role',
      value: { data: { type: 'role-grant', attributes: { role: 'support' }, relationships: { principal } } },
    },
    permission: {
      summary: 'One permission, for a principal whose home is another tenant',
      value: {
        data: {
          type: 'role-grant',
          attributes: { permission: 'tenants.connections.get', principal_tenant: 'agency' },
          relationships: { principal },
        },
      },
    },
  }),
];
