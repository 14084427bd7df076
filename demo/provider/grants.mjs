/** What the authorization server remembers (grants, tokens, codes, sessions): a Map behind the adapter of oidc-provider. */

const epochSeconds = () => Math.floor(Date.now() / 1000);

/** @typedef {{ payload: Record<string, unknown>, expiresAt?: number }} Entry times in epoch seconds */

export class GrantStore {
  #file;

  /** @param {import('./json-file.mjs').JsonFile<{ entries: Record<string, Entry> }>} file */
  constructor(file) {
    this.#file = file;
    this.#dropExpired();
    setInterval(() => this.#dropExpired(), 60_000).unref();
  }

  flush() {
    this.#file.flush();
  }

  /** Ends every grant of an account, of a client, or of both together. @returns how many ended */
  revokeGrants({ sub, clientId }) {
    const ended = this.#keysWhere(
      (key, { accountId, clientId: client }) =>
        key.startsWith('Grant:') && (sub ?? accountId) === accountId && (clientId ?? client) === client,
    );
    for (const key of ended) {
      this.revokeByGrantId(key.slice('Grant:'.length));
      this.#delete(key);
    }
    return ended.length;
  }

  revokeByGrantId(grantId) {
    for (const key of this.#keysWhere((_, payload) => payload.grantId === grantId)) this.#delete(key);
  }

  /**
   * The adapter of one model. No method waits for anything: the server's check for a used refresh token and its mark
   * are then one step of the event loop, so two parallel refreshes cannot both pass.
   */
  adapter = (/** @type {string} */ model) => {
    const find = async (id) => this.#get(`${model}:${id}`);
    const findBy = async (member, value) =>
      this.#get(this.#keysWhere((key, payload) => key.startsWith(`${model}:`) && payload[member] === value)[0]);
    return {
      find,
      findByUid: (uid) => findBy('uid', uid),
      findByUserCode: (userCode) => findBy('userCode', userCode),
      upsert: async (id, payload, expiresIn) => this.#set(`${model}:${id}`, payload, expiresIn),
      consume: async (id) => {
        const payload = await find(id);
        payload.consumed = epochSeconds();
        this.#file.changed();
      },
      destroy: async (id) => this.#delete(`${model}:${id}`),
      revokeByGrantId: async (grantId) => this.revokeByGrantId(grantId),
    };
  };

  get #entries() {
    return this.#file.value.entries;
  }

  #get(key) {
    const entry = this.#entries[key];
    return entry && !expired(entry) ? entry.payload : undefined;
  }

  #set(key, payload, expiresIn) {
    this.#entries[key] = { payload, ...(expiresIn && { expiresAt: epochSeconds() + expiresIn }) };
    this.#file.changed();
  }

  #delete(key) {
    delete this.#entries[key];
    this.#file.changed();
  }

  #keysWhere(matches) {
    return Object.entries(this.#entries)
      .filter(([key, { payload }]) => matches(key, payload))
      .map(([key]) => key);
  }

  #dropExpired() {
    for (const [key, entry] of Object.entries(this.#entries)) if (expired(entry)) this.#delete(key);
  }
}

const expired = (/** @type {Entry} */ { expiresAt }) => expiresAt !== undefined && expiresAt <= epochSeconds();
