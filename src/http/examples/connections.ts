/** Connections, and what is done with them. */
import { createConfirmation } from '../schemas/confirmation';
import { changeConnection } from '../schemas/connection';
import { createConsentLink } from '../schemas/consent-link';
import { row, type Row } from './example';
import { refresh } from '../schemas/refresh';
import { sendRequest } from '../schemas/request';
import { revoke } from '../schemas/revocation';
import { test } from '../schemas/test';

export const CONNECTIONS: readonly Row[] = [
  row(changeConnection, {
    about: {
      summary: 'About the account; null takes it away',
      value: { data: { type: 'connection', attributes: { region: 'ES', account_role: null } } },
    },
  }),
  row(createConsentLink, {
    'consent-link': {
      summary: 'For seven days',
      value: { data: { type: 'consent-link', attributes: {} } },
    },
    handback: {
      summary: 'Confirmed by your own application for its user; its origin must be one of the return origins',
      value: {
        data: {
          type: 'consent-link',
          attributes: {
            mode: 'handback',
            return_to: 'https://app.acme.example/connections',
            end_user_id: 'user-4711',
          },
        },
      },
    },
  }),
  row(createConfirmation, {
    confirmation: {
      summary: 'What the browser came back with, and whose it is',
      value: {
        data: {
          type: 'confirmation',
          attributes: {
            consent: 'k3v9q0zt',
            confirmation_code: 'the-code-of-the-return',
            end_user_id: 'user-4711',
          },
        },
      },
    },
  }),
  row(refresh, { refresh: { summary: 'Now', value: { data: { type: 'refresh', attributes: {} } } } }),
  row(test, { test: { summary: 'One harmless request', value: { data: { type: 'test', attributes: {} } } } }),
  row(revoke, {
    revocation: {
      summary: 'For good, and why',
      value: { data: { type: 'revocation', attributes: { reason: 'The customer left' } } },
    },
  }),
  row(sendRequest, {
    read: {
      summary: 'Below the API base URL',
      value: { data: { type: 'request', attributes: { path: '/orders', query: { status: 'open' } } } },
    },
    write: {
      summary: 'With a body; repeated under the same key it has no second effect',
      value: {
        data: {
          type: 'request',
          attributes: {
            method: 'POST',
            path: '/orders/4711/ack',
            body: { by: 'order-sync' },
            idempotency_key: 'ack-4711',
          },
        },
      },
    },
  }),
];
