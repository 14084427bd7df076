// Makes the gzip dump that the embedded database starts from: a first start by initdb takes 800 MB and up to 20 seconds,
// from the dump half of that and less than 4 seconds.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { templateFile } from '../assets/pglite-template.mjs';

if (!existsSync(templateFile)) {
  const db = await PGlite.create('memory://', { initDbStartParams: ['--wal-segsize=1'] });
  await db.exec('CHECKPOINT');
  const dump = await db.dumpDataDir('gzip');
  await db.close();
  const assets = dirname(templateFile);
  for (const name of readdirSync(assets)) if (/^pglite-template-.*\.tgz$/.test(name)) rmSync(join(assets, name));
  // Two of us may be at it: each writes its own file, and the last rename wins.
  const part = `${templateFile}.${process.pid}`;
  await writeFile(part, Buffer.from(await dump.arrayBuffer()));
  await rename(part, templateFile);
  console.log(`Made the template of the embedded database, ${(dump.size / 2 ** 20).toFixed(1)} MB`);
}
process.exit(0);
