/** A dump fits one PGlite version only, so the name of the file carries the version. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.resolve('@electric-sql/pglite')), 'utf8'),
);

export const templateFile = fileURLToPath(new URL(`./pglite-template-${version}.tgz`, import.meta.url));
