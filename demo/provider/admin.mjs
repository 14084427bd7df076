/** The admin port: what an operator, or the demo's judge, does behind the back of durable-oauth. */
import { answer, readJson } from './http.mjs';

/**
 * Request listener of the admin port.
 *
 * @param {object} parts
 * @param {import('./grants.mjs').GrantStore} parts.store
 * @param {import('./ledger.mjs').Ledger} parts.ledger
 * @param {import('./token-endpoint.mjs').Faults} parts.faults
 * @param {import('./orders.mjs').Orders} parts.orders
 * @returns {import('node:http').RequestListener}
 */
export function adminApi({ store, ledger, faults, orders }) {
  const routes = {
    'GET /admin/health': () => ({ pid: process.pid, ...faults.describe() }),
    'GET /ledger/summary': () => ledger.summary(),
    'GET /admin/journal': () => orders.journal,
    'POST /admin/orders/stop': () => {
      orders.stopGrowing();
      return { created: orders.journal.created.length };
    },
    'POST /admin/revoke-grant': ({ sub, clientId }) => {
      if (!sub && !clientId) return undefined;
      const revoked = store.revokeGrants({ sub, clientId });
      store.flush();
      return { revoked };
    },
    'POST /admin/fault': ({ point, clientId }) => {
      if (point !== 'after_commit_before_answer' || !clientId) return undefined;
      faults.arm(clientId);
      return faults.describe();
    },
    'POST /admin/release': () => ({ released: faults.release() }),
  };
  return async (req, res) => {
    const route = routes[`${req.method} ${new URL(req.url, 'http://admin').pathname}`];
    if (!route) return answer(res, 404, { error: 'not_found' });
    // A page in the newcomer's browser cannot send this type to another origin without asking first.
    if (req.method === 'POST' && req.headers['content-type'] !== 'application/json')
      return answer(res, 415, { error: 'json_required' });
    const body = await readJson(req).catch(() => undefined);
    const result = body && route(body);
    return result ? answer(res, 200, result) : answer(res, 400, { error: 'request_invalid' });
  };
}
