#!/usr/bin/env node
/** The command line. Parts that take long to load are loaded by the command that needs them. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readConfig, VAULT_DRIVERS, type VaultDriver } from '../config';
import { ROLE_NAMES, type Role } from '../http/access/roles';
import { openApi } from './api';
import * as connections from './commands/connections';
import { fail, RED, untilAskedToEnd, USAGE } from './exit';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const program = new Command('durable-oauth')
  .description('OAuth 2.0 connections that do not silently die.')
  .option('--json', 'print JSON')
  .option('--data-dir <folder>', 'data folder of `dev`', '.durable-oauth')
  .showHelpAfterError()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : USAGE));

const print: connections.Print = (value, text) =>
  void process.stdout.write(`${program.opts<{ json?: boolean }>().json ? JSON.stringify(value, null, 2) : text()}\n`);
const dataDir = (): string => resolve(program.opts<{ dataDir: string }>().dataDir);
const api = (): ReturnType<typeof openApi> => openApi(process.env, dataDir());
const guarded =
  <A extends unknown[]>(work: (...args: A) => Promise<void>) =>
  async (...args: A): Promise<void> => {
    try {
      await work(...args);
    } catch (error) {
      fail(error);
    }
  };
function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('A port is a number from 0 to 65535; 0 takes a free one.');
}
function minutes(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number of minutes.');
}

function days(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number of days from 1 to 9999.');
}

const DAY_MS = 86_400_000;
interface CreateKeyOptions {
  readonly email: string;
  readonly tenant: string;
  readonly role?: readonly Role[];
  readonly operator?: boolean;
  readonly scope?: readonly string[];
  readonly expires?: number;
}

program
  .command('dev')
  .description('run everything embedded: Temporal, database, vault, server and worker')
  .option('--port <n>', 'port of API and pages', port, 3000)
  .option('--temporal-port <n>', 'port of the Temporal dev server', port, 7233)
  .option('--ui-port <n>', 'port of the Temporal Web UI', port, 8233)
  .action(
    guarded(async (ports: { port: number; temporalPort: number; uiPort: number }) => {
      const { startDev } = await import('./dev/supervisor.js');
      // From now on, so that nothing is left running when it comes during the start.
      const asked = untilAskedToEnd();
      const dev = await startDev({
        dataDir: dataDir(),
        ...ports,
        log: say,
        childLog: (who, line) => say(`${who}: ${line}`),
      });
      print(
        { url: dev.url, temporal: dev.temporalUi },
        () => `API and pages: ${dev.url}\nTemporal Web UI: ${String(dev.temporalUi)}`,
      );
      say('Ctrl-C stops all of it.');
      await asked;
      say('Stopping …');
      await dev.stop();
    }),
  );

program
  .command('server')
  .description('run the REST API and the pages (any number of them)')
  .action(
    guarded(async () => {
      const { runServer } = await import('./run-server.js');
      const server = await runServer(readConfig(process.env));
      say(`server ready at ${server.url}`);
      await untilAskedToEnd();
      await server.stop();
    }),
  );

program
  .command('worker')
  .description('run the Temporal workers (any number of them)')
  .action(
    guarded(async () => {
      const { runWorker } = await import('./run-worker.js');
      const worker = await runWorker(readConfig(process.env));
      say('worker ready');
      await Promise.race([untilAskedToEnd(), worker.ended]);
      await worker.stop();
    }),
  );

program
  .command('doctor')
  .description('check everything a connection needs, a line each; exit code 78 when something is red')
  .option('--outage <minutes>', 'warn where tokens would not outlive such an outage of Temporal', minutes)
  .option('--after-restore', 'the vault came back from a backup: quarantine what it may have spoilt (workers stopped)')
  .action(
    guarded(async ({ afterRestore, outage }: { afterRestore?: boolean; outage?: number }) => {
      const { doctor, quarantineAll } = await import('./commands/doctor.js');
      if (afterRestore) return quarantineAll(process.env, print, say);
      if (!(await doctor(process.env, outage, print, say))) process.exitCode = RED;
    }),
  );

const admin = program.command('admin').description('work on the database directly (DATABASE_URL)');
admin
  .command('migrate')
  .description('bring the tables up to date, before a new version starts')
  .action(
    guarded(async () => {
      const { migrate, migrationsOf } = await import('../registry/migrator.js');
      const { databaseUrl } = readConfig(process.env);
      const { missing } = await migrationsOf(databaseUrl);
      await migrate(databaseUrl);
      print({ applied: missing }, () => (missing.length > 0 ? `applied ${missing.join(', ')}` : 'up to date'));
    }),
  );
admin
  .command('release <refs...>')
  .description('let connections refresh again that `doctor --after-restore` quarantined')
  .action(
    guarded(async (refs: string[]) => {
      const { release } = await import('./commands/doctor.js');
      await release(process.env, refs, print);
    }),
  );
admin
  .command('create-key')
  .description('make an API key; it is printed once')
  .requiredOption('--email <address>', 'the principal')
  .requiredOption('--tenant <id>', 'its home tenant; made when it does not exist')
  .addOption(
    new Option('--role <role...>', 'roles it gets there (default: operator for a principal without any)').choices(
      ROLE_NAMES,
    ),
  )
  .addOption(new Option('--operator', 'installation operator: everything in every tenant').conflicts('role'))
  .option('--scope <permission...>', 'what the key may be used for (default: all that its principal may do)')
  .option('--expires <days>', 'days until the key expires (default: never)', days)
  .action(
    guarded(async ({ email, tenant, role: roles, operator: everywhere, scope: scopes, expires }: CreateKeyOptions) => {
      const { createKey } = await import('./create-key.js');
      const { migrate } = await import('../registry/migrator.js');
      const { databaseUrl, publicUrl } = readConfig(process.env);
      await migrate(databaseUrl);
      const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires * DAY_MS).toISOString();
      const key = await createKey(databaseUrl, { email, tenant, roles, everywhere, scopes, expiresAt });
      print({ tenant, email, url: publicUrl, key }, () => key);
    }),
  );

const vault = program.command('vault').description('move or reseal the vault (DATABASE_URL, VAULT_…)');
vault
  .command('migrate')
  .description('copy every secret to another driver, verified; run it again to go on, or once nothing runs any more')
  .addOption(new Option('--from <driver>', 'where the secrets are').choices(VAULT_DRIVERS).makeOptionMandatory())
  .addOption(new Option('--to <driver>', 'where they go').choices(VAULT_DRIVERS).makeOptionMandatory())
  .option('--delete-source', 'afterwards destroy what was copied; only once VAULT names the new driver')
  .action(
    guarded(async (options: { from: VaultDriver; to: VaultDriver; deleteSource?: boolean }) => {
      const { migrate } = await import('./commands/vault.js');
      await migrate(process.env, options, print, say);
    }),
  );
vault
  .command('reseal')
  .description('postgres-sealed: seal with the first key of VAULT_KEYS what an older key sealed')
  .action(
    guarded(async () => {
      const { reseal } = await import('./commands/vault.js');
      await reseal(process.env, print, say);
    }),
  );

program
  .command('component')
  .description('check the descriptor of a component (component.json)')
  .command('validate [file]')
  .description('print what is wrong with it, a line each; - or no file: standard input; exit code 78 on an error')
  .action(
    guarded(async (file?: string) => {
      const { validate } = await import('./commands/component.js');
      if (!(await validate(file, print))) process.exitCode = RED;
    }),
  );

const group = program.command('connections').description('see and mend connections');
group
  .command('list')
  .description('all connections of the tenant')
  .action(guarded(() => connections.list(api(), print)));
group
  .command('show <ref>')
  .description('one connection, named <tenant>/<connection>')
  .action(guarded((ref: string) => connections.show(api(), ref, print)));
group
  .command('refresh <ref>')
  .description('refresh now, unless the access token is very young')
  .action(guarded((ref: string) => connections.refresh(api(), ref, print)));
group
  .command('revoke <ref>')
  .description('freeze, revoke at the provider, destroy')
  .action(guarded((ref: string) => connections.revoke(api(), ref, print)));
program
  .command('explain <ref>')
  .description('say in words how a connection is, why, and who must act')
  .action(guarded((ref: string) => connections.explain(api(), ref, print)));

void program.parseAsync().then(() => process.exit());
