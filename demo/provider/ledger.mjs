/** Every request to /token, as the server saw it. Secrets appear only as the first 12 hex digits of their SHA-256. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

const fingerprint = (/** @type {string} */ secret) => createHash('sha256').update(secret).digest('hex').slice(0, 12);

/**
 * @typedef {object} Row
 * @property {string} time
 * @property {string} [grant_type]
 * @property {string} [client]
 * @property {string} [presented] fingerprint of the refresh token or code
 * @property {number} status
 * @property {string} [error]
 * @property {number} overlaps other requests in flight at the same time with the same refresh token or code
 * @property {true} [withheld] committed; its answer was kept back by a fault
 *
 * @typedef {{ began: number, ended: number, presented?: string }} Call
 */

export class Ledger {
  #path;
  /** @type {Row[]} */
  #rows;
  /** Calls that may still overlap with one in flight. @type {Set<Call>} */
  #calls = new Set();

  /** @param {string} path JSON lines, appended to */
  constructor(path) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    this.#rows = lines.filter(Boolean).map((line) => JSON.parse(line));
  }

  /** @returns {Call} */
  begin() {
    const call = { began: performance.now(), ended: Infinity };
    for (const old of this.#calls) if (old.ended < call.began - 60_000) this.#calls.delete(old);
    this.#calls.add(call);
    return call;
  }

  /** @param {Call} call */
  end(call) {
    call.ended = performance.now();
  }

  /**
   * Writes the row of a call that the server has decided. Of two overlapping calls the one decided later counts it.
   *
   * @param {Call} call
   * @param {Omit<Row, 'time' | 'presented' | 'overlaps'> & { secret?: string }} facts
   */
  record(call, { secret, ...facts }) {
    const presented = secret && fingerprint(secret);
    const same = [...this.#calls].filter((other) => presented !== undefined && other.presented === presented);
    call.presented = presented;
    const overlaps = same.filter((other) => other.ended > call.began).length;
    const row = { time: new Date().toISOString(), presented, overlaps, ...facts };
    this.#rows.push(row);
    appendFileSync(this.#path, `${JSON.stringify(row)}\n`, { mode: 0o600 });
  }

  summary() {
    const byClient = {};
    const presented = new Map();
    for (const row of this.#rows) {
      const client = (byClient[row.client ?? 'unknown'] ??= {
        requests: 0,
        granted: 0,
        refused: 0,
        byGrantType: {},
        errors: {},
      });
      client.requests += 1;
      client[row.status === 200 ? 'granted' : 'refused'] += 1;
      count(client.byGrantType, row.grant_type ?? 'none');
      if (row.error) count(client.errors, row.error);
      if (row.presented) presented.set(row.presented, (presented.get(row.presented) ?? 0) + 1);
    }
    return {
      requests: this.#rows.length,
      granted: this.#rows.filter(({ status }) => status === 200).length,
      overlapping: this.#rows.filter(({ overlaps }) => overlaps > 0).length,
      presentedAgain: [...presented.values()].filter((times) => times > 1).length,
      withheld: this.#rows.filter(({ withheld }) => withheld).length,
      byClient,
    };
  }
}

const count = (/** @type {Record<string, number>} */ counts, /** @type {string} */ name) =>
  (counts[name] = (counts[name] ?? 0) + 1);
