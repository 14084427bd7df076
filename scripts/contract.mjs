import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { build } from './build.mjs';
import { ensureInstalled } from './ensure-installed.mjs';
import errorsPage from './errors-page.cjs';
import { main, root } from './root.mjs';

/** Write the pages that are made from code: docs/openapi.json and docs/errors.md. Tests compare them with the code. */
async function contract() {
  await ensureInstalled();
  await build();
  const built = (path) => createRequire(import.meta.url)(join(root, 'dist', 'src', path));
  const { buildApp } = built('http/app.js');
  // Nothing is called while routes are described.
  const app = buildApp({
    connections: {},
    consents: {},
    registry: {},
    publicKeys: {},
    catalogue: built('providers/catalogue.js').createCatalogue(),
    tokens: {},
    apiCaller: {},
    authorizationServer: {},
    config: {
      callbackBase: 'https://localhost/callback',
      returnOrigins: [],
      tokenRoutes: true,
      elasticioSecrets: true,
      ratePerMinute: 1,
    },
    log: pino({ level: 'silent' }),
  });
  await app.ready();
  write('docs/openapi.json', `${JSON.stringify(app.swagger(), null, 2)}\n`);
  await app.close();
  write('docs/errors.md', errorsPage.errorsPage(built('errors.js').ERRORS));
}

function write(path, text) {
  writeFileSync(join(root, path), text);
  console.log(`${path} written`);
}

main(contract);
