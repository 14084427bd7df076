/** Chaos, short, and whether it would find what it looks for. */
import { join } from 'node:path';
import { runChaos } from '../../bench/chaos/run';
import type { ChaosOptions } from '../../bench/chaos/world';

const lines: string[] = [];
const chaos = async (options: ChaosOptions): Promise<Awaited<ReturnType<typeof runChaos>>> => {
  lines.length = 0;
  return runChaos(options, (line) => void lines.push(line));
};

it('000-29 three minutes of kills and outages break no rule, and no dead token reaches the API', async () => {
  const run = await chaos({ minutes: 3, seed: Math.floor(Math.random() * 1e6), connections: 60 });
  if (run.violations.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
  expect({ seed: run.seed, violations: run.violations }).toEqual({ seed: run.seed, violations: [] });
  expect(run.kills).toBeGreaterThan(5);
  expect(run.refreshes).toBeGreaterThan(100);
}, 900_000);

describe('a planted bug is found, and the rule it breaks is named', () => {
  const planted = (bug: string): ChaosOptions => ({
    minutes: 1,
    seed: 7,
    connections: 12,
    modes: ['strict'],
    tokenSeconds: 20,
    oddAnswerMs: 1_000,
    // A refresh that cannot run breaks no rule: nothing but kills and odd answers is in its way.
    outages: false,
    settleSeconds: 1,
    worker: { script: join(__dirname, '..', 'support', 'planted-worker.js'), env: { PLANTED_BUG: bug } },
  });

  it.each([
    ['skip-fence', /^REFRESH_TOKEN_REUSED: chaos-strict-/],
    ['retry-send', /^(STRICT_RETRIED_EARLY|RETRY_AFTER_IGNORED): chaos-strict-/],
  ])(
    '%s',
    async (bug, rule) => {
      const { violations } = await chaos(planted(bug));
      process.stderr.write(`${bug}: ${violations.length} violations, ${violations[0] ?? ''}\n`);
      expect(violations).toContainEqual(expect.stringMatching(rule));
    },
    600_000,
  );
});
