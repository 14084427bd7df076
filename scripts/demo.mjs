import { randomBytes } from 'node:crypto';
import { startMoto } from './parts/moto.mjs';
import { startPostgres } from './parts/postgres.mjs';
import { Problem } from './root.mjs';
import { runBuilt } from './run-built.mjs';

/** Throw-away stores for `--vault`; the directory vault needs none. */
const VAULTS = {
  directory: async () => undefined,
  'aws-secrets-manager': async () => {
    const moto = await startMoto();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: moto.url,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'demo',
      AWS_SECRET_ACCESS_KEY: 'demo',
      VAULT_PREFIX: 'durable-oauth/demo',
    });
    return moto;
  },
  'postgres-sealed': async () => {
    const postgres = await startPostgres();
    Object.assign(process.env, {
      VAULT_DATABASE_URL: postgres.url,
      VAULT_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    });
    return postgres;
  },
};

const args = process.argv.slice(2);
const at = args.indexOf('--vault');
const [, name = ''] = at < 0 ? [] : args.splice(at, 2);
let store;
if (at >= 0) {
  if (!(name in VAULTS)) {
    console.error(`--vault ${Object.keys(VAULTS).join('|')}`);
    process.exit(64);
  }
  try {
    store = await VAULTS[name]();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(error.message);
    process.exit(1);
  }
  process.env.VAULT = name;
}
await runBuilt('demo/main.js', { args, after: () => store?.stop() });
