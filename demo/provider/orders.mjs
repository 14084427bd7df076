/** The resource API: a journal of orders that grows, read by pages, each order acknowledged under an idempotency key. */
import { answer } from './http.mjs';

const PAGE_SIZE = 5;

/**
 * @typedef {{ order: string, key: string, client: string, at: string }} Acknowledgement
 * @typedef {object} Journal
 * @property {{ id: string, created_at: string, total: number }[]} created
 * @property {Acknowledgement[]} effects acknowledgements that did something
 * @property {Acknowledgement[]} repeats requests under a key that had its effect already
 * @property {number} refused requests answered 401
 */

/** @returns {Journal} */
export const emptyJournal = () => ({ created: [], effects: [], repeats: [], refused: 0 });

export class Orders {
  #file;
  #timer;

  /**
   * @param {import('./json-file.mjs').JsonFile<Journal>} file
   * @param {{ first: number, everySeconds: number, most: number }} growth orders at the start, one more every so often, up to
   */
  constructor(file, { first, everySeconds, most }) {
    this.#file = file;
    while (this.journal.created.length < first) this.#create();
    this.#timer = setInterval(() => {
      if (this.journal.created.length < most) this.#create();
    }, everySeconds * 1000);
  }

  get journal() {
    return this.#file.value;
  }

  /** No more new orders, so that a reader can come to the end. */
  stopGrowing() {
    clearInterval(this.#timer);
  }

  /** @param {number} number from 1; `full` says that this page will not change any more */
  page(number) {
    const orders = this.journal.created.slice((number - 1) * PAGE_SIZE, number * PAGE_SIZE);
    return { page: number, orders, full: orders.length === PAGE_SIZE };
  }

  /** Acknowledges once per key and client. @returns {{ status: number, body: object, repeated?: true }} */
  acknowledge(/** @type {string} */ order, /** @type {string | undefined} */ key, /** @type {string} */ client) {
    if (!this.journal.created.some(({ id }) => id === order))
      return { status: 404, body: { error: 'order_not_found' } };
    if (!key) return { status: 400, body: { error: 'idempotency_key_missing' } };
    const before = this.journal.effects.find((effect) => effect.client === client && effect.key === key);
    if (before && before.order !== order) return { status: 422, body: { error: 'idempotency_key_reused' } };
    const effect = before ?? { order, key, client, at: new Date().toISOString() };
    if (before) this.journal.repeats.push({ ...before, at: new Date().toISOString() });
    else this.journal.effects.push(effect);
    this.#file.changed();
    return {
      status: 200,
      body: { id: order, acknowledged_at: effect.at },
      ...(before && { repeated: true }),
    };
  }

  refused() {
    this.journal.refused += 1;
    this.#file.changed();
  }

  #create() {
    const number = this.journal.created.length + 1;
    const id = `order-${String(number).padStart(5, '0')}`;
    this.journal.created.push({ id, created_at: new Date().toISOString(), total: (number * 37) % 500 });
    this.#file.changed();
  }
}

/**
 * Request listener of the API.
 *
 * @param {Orders} orders
 * @param {(accessToken: string) => Promise<{ clientId: string } | undefined>} tokenHolder from the server's own store
 * @returns {import('node:http').RequestListener}
 */
export function ordersApi(orders, tokenHolder) {
  return async (req, res) => {
    const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
    const holder = token && (await tokenHolder(token));
    req.resume();
    if (!holder) {
      orders.refused();
      const challenge = token ? 'Bearer realm="orders", error="invalid_token"' : 'Bearer realm="orders"';
      return answer(res, 401, { error: token ? 'invalid_token' : 'token_missing' }, { 'www-authenticate': challenge });
    }
    const url = new URL(req.url, 'http://api');
    if (req.method === 'GET' && url.pathname === '/orders') {
      const page = Number(url.searchParams.get('page') ?? 1);
      return Number.isInteger(page) && page > 0
        ? answer(res, 200, orders.page(page))
        : answer(res, 400, { error: 'page_invalid' });
    }
    const order = req.method === 'POST' && /^\/orders\/([^/]+)\/ack$/.exec(url.pathname)?.[1];
    if (!order) return answer(res, 404, { error: 'not_found' });
    const { status, body, repeated } = orders.acknowledge(order, req.headers['idempotency-key'], holder.clientId);
    return answer(res, status, body, repeated ? { 'idempotency-replayed': 'true' } : {});
  };
}
