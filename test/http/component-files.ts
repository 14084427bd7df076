/** Files of components as people upload them, and what is sent and answered around them. */
import type { LightMyRequestResponse } from 'fastify';

export const oauth2 = {
  client_id: '',
  client_secret: '',
  auth_uri: 'https://pizza.test/a',
  token_uri: 'https://pizza.test/t',
};
export const fields = { oauth: { label: 'Sign in', viewClass: 'OAuthFieldView' } };
export const PIZZA = {
  title: 'Pizza Van',
  description: 'Orders',
  version: '1.2.3',
  envVars: { PIZZAVAN_KEY: { required: true, description: 'Key' }, PIZZAVAN_SECRET: { required: true } },
  credentials: { fields, oauth2: { ...oauth2, scopes: ['orders'] } },
  useOAuthClient: true,
  triggers: { getOrders: { main: './t.js', title: 'Get orders' } },
  unknown: { kept: true },
};

export const body = (attributes: object, type = 'component'): object => ({ data: { type, attributes } });
export const errorsOf = (answer: LightMyRequestResponse): [number, string, string | undefined][] =>
  answer
    .json()
    .errors.map((one: { code: string; source?: { pointer: string } }) => [
      answer.statusCode,
      one.code,
      one.source?.pointer,
    ]);
