/** The demo without a person: kills, outages, a withdrawn consent, a lost Temporal; and its own judgement. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printCells, until, type Cell } from './cells';
import { saveFlow, savePasted } from './first-start';
import { openHistories } from './history';
import { consent, killAfterTheResult, killAtFourPoints, takeTheVaultAway, type Victims } from './kills';
import { startOrderSync } from './order-sync';
import { CLIENTS, codeIntegration, robotIntegration, startDemo, type Demo } from './setup';

const started = Date.now();
const say = (line: string): void =>
  void process.stdout.write(`${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s  ${line}\n`);

/** @returns whether every cell is as demanded */
export async function runHeadless(stopped: Promise<string>): Promise<boolean> {
  const dataDir = await mkdtemp(join(tmpdir(), 'durable-oauth-demo-'));
  const workerLines: string[] = [];
  const seenAt = new Set<string>();
  let demo: Demo | undefined;
  try {
    demo = await startDemo({
      dataDir,
      // The key of this throw-away server is nobody's business.
      log: (line) => (line.startsWith('API key') ? undefined : say(line)),
      workerLog: (line) => {
        workerLines.push(line);
        const point = /demo: at (\w+)/.exec(line)?.[1];
        if (point) seenAt.add(point);
      },
    });
    const story = judge(demo, seenAt);
    const interrupted = stopped.then((why): boolean => {
      throw new Error(`stopped by ${why}`);
    });
    return await Promise.race([story, interrupted]);
  } catch (error) {
    process.stdout.write(
      `\n${error instanceof Error ? error.message : String(error)}\nLast lines of the worker:\n${workerLines.slice(-40).join('\n')}\n`,
    );
    return false;
  } finally {
    say('Stopping everything …');
    await demo?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function judge(demo: Demo, seenAt: Set<string>): Promise<boolean> {
  const { rest } = demo;
  const code = (label: string, client: (typeof CLIENTS)['app' | 'fragile'] = CLIENTS.app): Promise<string> =>
    rest.save(codeIntegration(label, client));
  say('Saving one integration per grant type, and one connection for each way to die');
  const robot = await rest.save(robotIntegration());
  const pasted = await savePasted(demo);
  const victims: Victims = {
    before_send: await code('Killed before the send'),
    committed: await code('Killed after the commit', CLIENTS.fragile),
    after_answer: await code('Killed after the answer'),
    after_put: await code('Killed after the vault write'),
    after_result: await code('Killed after the result'),
    vault_outage: await code('Vault outage'),
  };
  const shop = await code('Order sync (authorization code)');
  await saveFlow(demo, [robot, pasted, shop]);
  say('Seven people consent: login, consent and confirm pages are posted as a browser would');
  const logins: readonly (readonly [string, string])[] = [
    [victims.before_send, 'amy'],
    [victims.committed, 'bob'],
    [victims.after_answer, 'cid'],
    [victims.after_put, 'dan'],
    [victims.after_result, 'eva'],
    [victims.vault_outage, 'fay'],
    [shop, 'ann'],
  ];
  for (const [id, login] of logins) await consent(demo, id, login);

  const histories = await openHistories(demo.dev.temporalAddress);
  const cells: Cell[] = [];
  const flow = await startOrderSync(demo, histories, shop);
  try {
    say('order-sync runs in its own worker from here on');
    cells.push(...(await killAtFourPoints(demo, histories, victims, seenAt, say)));
    cells.push(await killAfterTheResult(demo, histories, victims.after_result, say));
    cells.push(await takeTheVaultAway(demo, histories, victims.vault_outage, seenAt, say));
    cells.push(await flow.finish(shop, 'ann', say));
  } finally {
    await flow.stop();
  }
  const perRefresh = await histories.eventsPerRefresh({ tenant: rest.tenant, connection: robot });
  cells.push({
    name: 'events per proactive refresh',
    demanded: 'at most 11',
    seen: String(perRefresh),
    ok: perRefresh > 0 && perRefresh <= 11,
  });
  await histories.close();
  const facts = await table(demo);

  cells.push(await loseTemporal(demo));
  cells.push(await revokeAll(demo));
  const ledger = await demo.provider.admin.ledger();
  cells.push({
    name: 'refresh tokens presented twice',
    demanded: 'only the lost rotation',
    seen: `${ledger.presentedAgain} presented again, ${ledger.overlapping} overlapping`,
    ok: ledger.presentedAgain <= 1 && ledger.overlapping === 0,
  });
  process.stdout.write(`\n${printCells(cells, 'Killed')}\n\n${facts}\n`);
  const failed = cells.filter(({ ok }) => !ok);
  process.stdout.write(
    failed.length === 0
      ? '\nEvery cell is as demanded.\n'
      : `\nNot as demanded: ${failed.map(({ name }) => name).join(', ')}\n`,
  );
  return failed.length === 0;
}

async function loseTemporal(demo: Demo): Promise<Cell> {
  say('Deleting Temporal’s database and starting it again');
  const before = await demo.rest.connections();
  await demo.dev.loseTemporal();
  const back = await Promise.all(
    before.map(async ({ id, generation }) => {
      const seen = await until(
        `${id} is refreshed again`,
        async () => {
          await demo.rest.useToken(id).catch(() => undefined);
          return demo.rest.connection(id);
        },
        (now) => now.state === 'active' && now.generation > generation,
        120_000,
      );
      return seen.generation > generation;
    }),
  );
  const refreshed = back.filter(Boolean).length;
  return {
    name: 'Temporal’s database deleted',
    demanded: 'every connection refreshed',
    seen: `${refreshed} of ${before.length} refreshed`,
    ok: refreshed === before.length,
  };
}

async function revokeAll(demo: Demo): Promise<Cell> {
  say('Revoking every connection');
  const all = await demo.rest.connections();
  for (const { id } of all) await demo.rest.revoke(id);
  const left = (await demo.rest.connections()).filter(({ state }) => state !== 'disconnected').length;
  return {
    name: 'revoked',
    demanded: 'all disconnected',
    seen: `${all.length - left} of ${all.length}`,
    ok: left === 0,
  };
}

async function table(demo: Demo): Promise<string> {
  const ledger = await demo.provider.admin.ledger();
  const rows = (await demo.rest.connections()).map(
    ({ id, state, generation }) => `| ${id} | ${state} | ${generation - 1} |`,
  );
  const clients = Object.entries(ledger.byClient).map(
    ([client, seen]) => `| ${client} | ${seen.requests} | ${seen.granted} | ${seen.refused} |`,
  );
  return [
    '| Connection | State | Refreshes |',
    '|---|---|---|',
    ...rows,
    '',
    '| OAuth client | Token calls seen by the server | Granted | Refused |',
    '|---|---|---|---|',
    ...clients,
  ].join('\n');
}
