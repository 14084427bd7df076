/**
 * `durable-oauth worker` that holds still where the save of an OAuth client has got to what the client's id ends with
 * (`…-reserve`, `…-store`, `…-publish`): the step is done, its answer not given. It says so on a line, and goes on when it
 * gets SIGUSR2. Production code has no such switch.
 */
'use strict';
const { join } = require('node:path');

const dist = join(__dirname, '..', '..', 'dist', 'src');
const { fail, untilAskedToEnd } = require(join(dist, 'cli', 'exit.js'));
const { runWorker } = require(join(dist, 'cli', 'run-worker.js'));
const { readConfig } = require(join(dist, 'config.js'));

const released = new Promise((resolve) => process.once('SIGUSR2', resolve));

async function after(step, client, work) {
  const result = await work;
  if (!client.endsWith(`-${step}`)) return result;
  process.stderr.write(`held ${client}\n`);
  await released;
  return result;
}

function decorate({ vault, registry, ...ports }) {
  const { oauthClients } = registry;
  return {
    ...ports,
    vault: {
      capabilities: vault.capabilities,
      put: (ref, ...rest) => after('store', ref.split('/')[2] ?? '', vault.put(ref, ...rest)),
      latest: (ref) => vault.latest(ref),
      destroy: (ref) => vault.destroy(ref),
      checkWritable: () => vault.checkWritable(),
      list: (prefix) => vault.list(prefix),
    },
    registry: {
      ...registry,
      oauthClients: {
        ...oauthClients,
        reserve: (client) => after('reserve', client.id, oauthClients.reserve(client)),
        publish: (client) => after('publish', client.id, oauthClients.publish(client)),
      },
    },
  };
}

async function main() {
  const worker = await runWorker(readConfig(process.env), { decorate });
  process.stderr.write('worker ready\n');
  await Promise.race([untilAskedToEnd(), worker.ended]);
  await worker.stop();
}

void main()
  .catch(fail)
  .then(() => process.exit());
