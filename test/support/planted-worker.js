/**
 * `durable-oauth worker` with a bug that PLANTED_BUG names, to see that chaos finds it. Production code has no such switch.
 *
 * `skip-fence`: it spends the refresh token of the generation before, as a worker would that trusts a vault that lags.
 * `retry-send`: a token request that failed is sent again at once.
 */
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const dist = join(__dirname, '..', '..', 'dist', 'src');
const { fail, untilAskedToEnd } = require(join(dist, 'cli', 'exit.js'));
const { runWorker } = require(join(dist, 'cli', 'run-worker.js'));
const { readConfig } = require(join(dist, 'config.js'));
const { secretFromText } = require(join(dist, 'vault', 'cell.js'));
const { directoryKeyFromFile } = require(join(dist, 'vault', 'directory-key.js'));
const { unseal } = require(join(dist, 'vault', 'seal.js'));

const config = readConfig(process.env);

async function olderCell(ref, generation) {
  const { path, keyFile } = config.vault;
  const file = join(path, 'refs', ...ref.split('/'), `${generation}.cell`);
  const context = `durable-oauth directory vault 1\n${ref}\n${generation}`;
  return secretFromText(ref, generation, unseal(await directoryKeyFromFile(keyFile), context, readFileSync(file)));
}

const BUGS = {
  'skip-fence': (ports) => ({
    ...ports,
    vault: {
      ...bound(ports.vault),
      async latest(ref) {
        const entry = await ports.vault.latest(ref);
        if (!ref.startsWith('grant/') || entry.generation < 2) return entry;
        return { ...entry, secret: await olderCell(ref, entry.generation - 1) };
      },
    },
  }),
  'retry-send': (ports) => ({
    ...ports,
    authorizationServer: {
      ...ports.authorizationServer,
      refresh: (target, token) =>
        ports.authorizationServer.refresh(target, token).catch(() => ports.authorizationServer.refresh(target, token)),
    },
  }),
};

function bound(vault) {
  return {
    capabilities: vault.capabilities,
    put: (...of) => vault.put(...of),
    destroy: (ref) => vault.destroy(ref),
    checkWritable: () => vault.checkWritable(),
    list: (prefix) => vault.list(prefix),
  };
}

async function main() {
  const worker = await runWorker(config, { decorate: BUGS[process.env.PLANTED_BUG] });
  process.stderr.write('worker ready\n');
  await Promise.race([untilAskedToEnd(), worker.ended]);
  await worker.stop();
}

void main()
  .catch(fail)
  .then(() => process.exit());
