// A process of its own that puts generation after generation into a directory vault: `node vault-process.js <path> <name>
// <count>`, key in VAULT_KEY. Prints `ready`, waits for a line, then prints one line per put: `<generation> <outcome>`.
const { readFileSync } = require('node:fs');
const { once } = require('node:events');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const options = {
    filename,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  };
  module._compile(transformSync(readFileSync(filename, 'utf8'), options).code, filename);
};

const { openDirectoryVault } = require('../../src/vault/directory');
const { directoryKeyFromText } = require('../../src/vault/directory-key');
const { Secret } = require('../../src/vault/secret');

async function main([path, name, count]) {
  const vault = await openDirectoryVault({ path, key: directoryKeyFromText(process.env.VAULT_KEY) });
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  for (let generation = 1; generation <= Number(count); generation += 1) {
    const secret = { kind: 'client_secret', clientSecret: new Secret(`${name}-${generation}`), audience: [] };
    const outcome = await vault.put('grant/acme/cn_1/gr_1', generation, secret).catch((error) => error.code);
    process.stdout.write(`${generation} ${outcome}\n`);
  }
  process.stdin.destroy();
}

main(process.argv.slice(2));
