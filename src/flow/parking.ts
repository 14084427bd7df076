/** Waiting for a connection: the flow sleeps in the engine, at no cost, until a person has consented. */
import { isCancellation, sleep } from '@temporalio/workflow';
import { coded, waitsForPeople } from './failures';
import { parking, pauseMs } from './policies';
import type { Duration } from './types';

/** Run `work`; each time it fails because the connection waits for people, wait until it is active and run it again. */
export async function parked<T>(ref: string, waitAtMost: Duration | undefined, work: () => Promise<T>): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return await work();
    } catch (error) {
      if (!waitsForPeople(error)) throw error;
      // Readers look at the registry every 30 s: right after a consent one may refuse although the connection is active.
      if (round > 0) await sleep(pauseMs(round), { summary: `${ref} was refused again` });
      await untilActive(ref, waitAtMost, error);
    }
  }
}

async function untilActive(ref: string, waitAtMost: Duration | undefined, refusal: unknown): Promise<void> {
  const summary = `Wait until ${ref} is active`;
  try {
    await parking.untilActive.executeWithOptions({ summary, scheduleToCloseTimeout: waitAtMost }, [{ v: 1, ref }]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = coded(error);
    // Anything else is the time limit: the flow fails with what it was waiting for.
    throw failure?.nonRetryable ? failure : refusal;
  }
}
