/**
 * The demo's authorization server and the API it protects, as a process of its own.
 *
 * Takes one JSON object (`Config`) as its argument or in PROVIDER_CONFIG, prints one JSON line with its URLs once it
 * listens, and ends on SIGTERM, SIGINT or when its standard input ends, so that it never outlives who started it.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { adminApi } from './admin.mjs';
import { authorizationServer } from './authorization-server.mjs';
import { GrantStore } from './grants.mjs';
import { close, listen } from './http.mjs';
import { JsonFile } from './json-file.mjs';
import { Ledger } from './ledger.mjs';
import { emptyJournal, Orders, ordersApi } from './orders.mjs';
import { Faults, tokenEndpoint } from './token-endpoint.mjs';

/**
 * @typedef {object} Config
 * @property {string} dataDir
 * @property {number} [port] of the authorization server; 0 = the one it had before, or any free one
 * @property {import('./authorization-server.mjs').Client[]} clients
 * @property {string[]} redirectUris
 * @property {number} [accessTokenSeconds]
 * @property {{ first: number, everySeconds: number, most: number }} [orders]
 */

/** Time that answers under way get when the process ends. */
const LINGER_MS = 300;

/** @param {Config} config */
async function start({ dataDir, port, clients, redirectUris, accessTokenSeconds = 60, orders: growth }) {
  const state = new JsonFile(join(dataDir, 'provider.json'), () => ({ entries: {}, ports: {}, keys: newKeys() }));
  const journal = new JsonFile(join(dataDir, 'orders.json'), emptyJournal);
  const store = new GrantStore(state);
  const ledger = new Ledger(join(dataDir, 'ledger.jsonl'));
  const faults = new Faults();
  const orders = new Orders(journal, growth ?? { first: 10, everySeconds: 2, most: 2000 });

  const servers = { issuer: createServer(), api: createServer(), admin: createServer() };
  // Connections saved in an earlier run name these ports.
  const { ports, keys } = state.value;
  ports.issuer = await listen(servers.issuer, port || ports.issuer || 0);
  // The issuer's name needs its port; until the listener is there nothing may be awaited, or a request would hang.
  const issuer = `http://127.0.0.1:${ports.issuer}`;
  const provider = authorizationServer({ issuer, clients, redirectUris, accessTokenSeconds, keys, store });
  provider.use(tokenEndpoint({ ledger, store, faults }));
  servers.issuer.on('request', provider.callback());

  const tokenHolder = async (token) =>
    (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
  servers.api.on('request', ordersApi(orders, tokenHolder));
  servers.admin.on('request', adminApi({ store, ledger, faults, orders }));
  ports.api = await listen(servers.api, ports.api ?? 0);
  const adminPort = await listen(servers.admin, 0);
  state.changed();

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await Promise.all(Object.values(servers).map((server) => close(server, LINGER_MS)));
    state.flush();
    journal.flush();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdin.on('close', stop).resume();

  const ready = { issuer, apiUrl: `http://127.0.0.1:${ports.api}`, adminUrl: `http://127.0.0.1:${adminPort}` };
  process.stdout.write(`${JSON.stringify({ ...ready, ledgerFile: join(dataDir, 'ledger.jsonl') })}\n`);
}

function newKeys() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    cookieKey: randomBytes(32).toString('base64url'),
    signingKey: { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'demo' },
  };
}

start(JSON.parse(process.argv[2] ?? process.env.PROVIDER_CONFIG ?? '{}')).catch((error) => {
  process.stderr.write(`The demo's authorization server cannot start: ${error.message}\n`);
  process.exit(1);
});
