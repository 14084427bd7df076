/** The least that a durable timer and an activity can cost: what a refresh is measured against. */
import { continueAsNew, proxyActivities, sleep } from '@temporalio/workflow';

const RUNS = 32;

const { work } = proxyActivities<{ work(): Promise<{ v: 1 }> }>({
  startToCloseTimeout: '45 s',
  retry: { maximumAttempts: 1 },
});

export async function bare(periodMs: number): Promise<void> {
  for (let turn = 0; turn < RUNS; turn++) {
    // Spread as our jitter spreads.
    await sleep(periodMs * (0.93 + Math.random() * 0.14));
    await work();
  }
  await continueAsNew<typeof bare>(periodMs);
}
