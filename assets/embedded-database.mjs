/**
 * The embedded database, a process of its own: PGlite behind a port of this machine. Started by
 * `src/cli/dev/embedded-database.ts`, which sends `{ dataDir, port, password }` and gets `{ ready: port }`,
 * `{ failed: sentence }` and `{ line }` back. Ends on SIGTERM, and when its parent ends.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { lockFolder, Refusal } from './folder-lock.mjs';
import { oneSessionServer } from './one-session.mjs';
import { templateFile } from './pglite-template.mjs';

const tell = (message) => new Promise((resolve) => process.send(message, () => resolve()));

// Ctrl-C reaches the whole group; the parent stops us when nobody uses the database any more.
process.on('SIGINT', () => {});

const settings = await new Promise((resolve) => process.once('message', resolve));
try {
  await run(settings);
} catch (error) {
  const unusable =
    `The embedded database in ${settings.dataDir ?? 'memory'} could not be opened: it is damaged or was made by another ` +
    'version of durable-oauth. Move the folder away to begin anew, or set DATABASE_URL.';
  await tell({ failed: error instanceof Refusal ? error.message : unusable });
  process.exit(1);
}

async function run({ dataDir, port, password }) {
  const unlock = dataDir === null ? () => Promise.resolve() : await claim(dataDir);
  const db = await open(dataDir);
  const server = await oneSessionServer(db, password, async () => {
    if (process.connected) await tell({ line: 'The embedded database failed and ends; what was committed is kept' });
    process.exit(1);
  });
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve, reject) => {
    server.once('error', () => reject(new Refusal(`Port ${port} on 127.0.0.1 is taken. Stop what uses it.`)));
    server.listen(port, '127.0.0.1', resolve);
  });

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    server.close();
    for (const socket of sockets) socket.destroy();
    await db.close();
    await unlock();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  if (!process.connected) await stop();
  await tell({ ready: server.address().port });
}

async function claim(dataDir) {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch {
    throw new Refusal(`The data folder ${dataDir} cannot be made. Choose one that this user may write.`);
  }
  return lockFolder(dataDir);
}

async function open(dataDir) {
  if (dataDir === null) return PGlite.create(await firstContent());
  const files = join(dataDir, 'pgdata');
  const complete = join(dataDir, 'pgdata.complete');
  if (existsSync(complete)) return PGlite.create(files);
  // A first start that was cut off leaves half a database, which nobody has been told of.
  await rm(files, { recursive: true, force: true });
  const db = await PGlite.create(files, await firstContent());
  await writeFile(complete, '');
  return db;
}

async function firstContent() {
  if (existsSync(templateFile)) return { loadDataDir: new Blob([await readFile(templateFile)]) };
  await tell({ line: 'Making the embedded database for the first time; this takes up to 20 seconds and 800 MB once' });
  return {};
}
