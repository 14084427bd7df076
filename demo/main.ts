/** `npm run demo`: everything embedded, with a real authorization server. `--headless` judges itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilAskedToEnd } from '../src/cli/exit';
import { firstStart } from './first-start';
import { runHeadless } from './headless';
import { startDemo, type Demo } from './setup';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const stopped = untilAskedToEnd();
  if (process.argv.includes('--headless')) return (await runHeadless(stopped)) ? 0 : 1;
  if (process.argv.some((word) => word.startsWith('-'))) {
    say(
      'npm run demo [-- --headless] [-- --vault <driver>]\n\n--headless  run without a person, kill the worker, take parts away, and judge what happens\n--vault     directory (default), aws-secrets-manager (on moto, from PyPI) or postgres-sealed (a throw-away PostgreSQL)',
    );
    return process.argv.includes('--help') ? 0 : 64;
  }
  // Another vault than the folder is thrown away at the end, and so is what refers to it.
  const throwAway = !['', 'directory'].includes(process.env['VAULT'] ?? '');
  const dataDir = throwAway
    ? await mkdtemp(join(tmpdir(), 'durable-oauth-demo-'))
    : join(process.cwd(), '.durable-oauth', 'demo');
  const demo = await startDemo({
    dataDir,
    log: say,
    workerLog: () => undefined,
  });
  try {
    await firstStart(demo, say);
    const waiting = (await demo.rest.connections()).find(
      ({ state }) => state === 'pending_consent' || state === 'reauth_required',
    );
    say('');
    say(`Temporal Web UI   ${demo.dev.temporalUi ?? ''}`);
    say(`API               ${demo.dev.url}/v2/tenants/${demo.rest.tenant}/connections`);
    say(`To look at        ${lookWithCurl(demo, dataDir)}`);
    if (waiting) say(`Connect           ${await demo.rest.consentLink(waiting.id)}   (any name and password)`);
    say(
      `\nTokens live 60 s. Ctrl-C stops everything${throwAway ? '' : '; the next start goes on with these connections'}.\n`,
    );
    await Promise.race([stopped, tell(demo)]);
    return 0;
  } finally {
    say('Stopping everything …');
    await demo.stop();
    if (throwAway) await rm(dataDir, { recursive: true, force: true });
  }
}

/** Component, OAuth client and flow. The key stays in its file: a terminal's lines are kept by many. */
function lookWithCurl({ dev: { url, access } }: Demo, dataDir: string): string {
  const key = `$(node -p "require('${join(dataDir, 'durable-oauth', 'api-key.json')}').key")`;
  const address = `${url}/v2/tenants/${access.tenant}/{components,oauth-clients,flows}`;
  return `curl -s -w '\\n' -u "${access.email}:${key}" '${address}'`;
}

/** One readable line per event, for ever. */
async function tell(demo: Demo): Promise<never> {
  const known = new Map<string, string>();
  for (;;) {
    for (const { id, state, reason, generation, expiresAt } of await demo.rest.connections().catch(() => [])) {
      const now = `${state}${reason ? ` (${reason})` : ''}, generation ${generation}${expiresAt ? `, until ${expiresAt.slice(11, 19)}` : ''}`;
      if (known.get(id) !== now) say(`${new Date().toISOString().slice(11, 19)}  ${demo.rest.tenant}/${id}: ${now}`);
      known.set(id, now);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

void main()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  })
  .then((code) => process.exit(code));
