/** Around the server's /token: what is answered is on disk first, the ledger sees every request, one fault can be set. */

/** Answers that are committed and kept back. */
export class Faults {
  /** Clients whose next refresh is withheld. @type {Set<string>} */
  #armed = new Set();
  /** @type {Set<{ clientId: string, since: string, release: () => void }>} */
  #held = new Set();

  /** @param {string} clientId */
  arm(clientId) {
    this.#armed.add(clientId);
  }

  /** @param {string} clientId @returns whether a fault was armed for it; it is used up */
  take(clientId) {
    return this.#armed.delete(clientId);
  }

  /** Waits for the release, or until the client has gone away. */
  async hold(/** @type {string} */ clientId, /** @type {import('node:http').ServerResponse} */ res) {
    await new Promise((resolve) => {
      const held = { clientId, since: new Date().toISOString(), release: resolve };
      this.#held.add(held);
      const gone = () => {
        this.#held.delete(held);
        resolve(undefined);
      };
      if (res.destroyed) gone();
      else res.once('close', gone);
    });
  }

  /** @returns how many answers went out */
  release() {
    const held = [...this.#held];
    this.#held.clear();
    for (const { release } of held) release();
    return held.length;
  }

  describe() {
    return { armed: [...this.#armed], held: [...this.#held].map(({ clientId, since }) => ({ clientId, since })) };
  }
}

/**
 * Koa middleware.
 *
 * @param {object} parts
 * @param {import('./ledger.mjs').Ledger} parts.ledger
 * @param {import('./grants.mjs').GrantStore} parts.store
 * @param {Faults} parts.faults
 */
export function tokenEndpoint({ ledger, store, faults }) {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== '/token') return next();
    const call = ledger.begin();
    ctx.res.once('close', () => ledger.end(call));
    await next();
    store.flush();

    const { grant_type, refresh_token, code } = ctx.oidc?.params ?? {};
    const client = ctx.oidc?.client?.clientId;
    const withheld = grant_type === 'refresh_token' && ctx.status === 200 && faults.take(client);
    ledger.record(call, {
      grant_type,
      client,
      secret: [refresh_token, code].find((value) => typeof value === 'string'),
      status: ctx.status,
      error: ctx.body?.error,
      ...(withheld && { withheld }),
    });
    if (withheld) await faults.hold(client, ctx.res);
  };
}
