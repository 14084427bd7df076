/**
 * Every interleaving of the pure core with the world around it, breadth first. `EXPLORE_STATES=120000 npx jest test/model`
 * goes as deep as two minutes allow.
 */
import { ROTATION_MODES } from '../../src/connection/types';
import { explore, type Explored } from './explore';

const told = ({ counterexample }: Explored): string | undefined =>
  counterexample && [...counterexample.story, `→ ${counterexample.rule}`].join('\n');

describe('every interleaving of kills, outages, lost answers, revocation, re-consent and resets', () => {
  it.each(ROTATION_MODES)('keeps the invariants with rotation %s', (mode) => {
    const found = explore(mode, { states: Number(process.env['EXPLORE_STATES'] ?? 20_000) });
    expect(told(found)).toBeUndefined();
    process.stdout.write(
      `explored ${mode}: ${found.states} states, depth ${found.depth}${found.whole ? ', all of them' : ''}\n`,
    );
  });
});

describe('the rules notice when the model leaves out', () => {
  it.each([
    ['the create-only cell', 'until_used', 'no fence'],
    ['the sealed answer in the heartbeat', 'strict', 'no escrow'],
    ['the single send', 'strict', 'engine retries'],
    ['the check of the account', 'strict', 'no account check'],
  ] as const)('%s', (_what, mode, mutation) => {
    const { counterexample } = explore(mode, { states: 300_000 }, mutation);
    expect(counterexample?.story.length).toBeGreaterThan(1);
  });
});
