import { ActivityNotFoundError } from '@temporalio/client';
import { CompleteAsyncError } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCompleteWaiters, type CompleteWaitersPorts } from '../../activities/complete-waiters';
import { createUntilActive } from '../../activities/until-active';
import { DurableOAuthError } from '../../src/errors';
import type { ConnectionRow } from '../../src/registry/contract';
import { quiet, REF, rowIn } from '../support/api';
import { MemoryWaiters } from '../support/waiters';

const ref = { tenant: 'acme', connection: 'cn_7q4' };
const token = (text: string): Buffer => Buffer.from(text);

/** What the registry answers, one reading after the other; the last answer stays. */
function untilActive(waiters: MemoryWaiters, ...readings: (ConnectionRow | undefined)[]): Promise<unknown> {
  const get = async (): Promise<ConnectionRow | undefined> => (readings.length > 1 ? readings.shift() : readings[0]);
  const env = new MockActivityEnvironment(
    {
      activityId: '3',
      workflowExecution: { workflowId: 'flow-1', runId: 'r' },
      taskToken: token('token-of-flow-1'),
    },
    quiet,
  );
  return env.run(createUntilActive({ connections: { get }, waiters }), { v: 1 as const, ref: REF });
}

describe('untilActive', () => {
  let waiters: MemoryWaiters;
  beforeEach(() => {
    waiters = new MemoryWaiters();
  });

  it.each(['active', 'degraded'] as const)('returns at once in state %s, without a row', async (state) => {
    const park = jest.spyOn(waiters, 'park');
    expect(await untilActive(waiters, rowIn(state))).toEqual({ v: 1, state });
    expect(park).not.toHaveBeenCalled();
  });

  it.each([
    ['pending_consent', null],
    ['reauth_required', null],
    ['disconnected', null],
    ['active', '2026-01-01T00:00:00Z'],
  ] as const)('parks the flow in state %s, frozen at %s', async (state, frozenAt) => {
    await expect(untilActive(waiters, rowIn(state, frozenAt))).rejects.toBeInstanceOf(CompleteAsyncError);
    expect(await waiters.list(ref)).toMatchObject([
      { workflow: 'flow-1', activity: '3', taskToken: token('token-of-flow-1') },
    ]);
  });

  it('sees a connection that becomes active between the first reading and the row', async () => {
    const result = await untilActive(waiters, rowIn('reauth_required'), rowIn('active'));
    expect(result).toEqual({ v: 1, state: 'active' });
    expect(waiters.rows.size).toBe(0);
  });

  it('replaces the row of an earlier attempt', async () => {
    await waiters.park({ ...ref, workflow: 'flow-1', activity: '3', taskToken: token('earlier') });
    await expect(untilActive(waiters, rowIn('reauth_required'))).rejects.toBeInstanceOf(CompleteAsyncError);
    expect([...waiters.rows.values()].map((row) => String(row.taskToken))).toEqual(['token-of-flow-1']);
  });

  it('does not wait for a connection that is unknown', async () => {
    await expect(untilActive(waiters, undefined)).rejects.toMatchObject({ type: 'NOT_FOUND', nonRetryable: true });
  });

  it('is repeated while the registry is silent', async () => {
    waiters.park = () => Promise.reject(new DurableOAuthError('REGISTRY_UNAVAILABLE'));
    const failure = { type: 'REGISTRY_UNAVAILABLE', nonRetryable: false };
    await expect(untilActive(waiters, rowIn('reauth_required'))).rejects.toMatchObject(failure);
  });
});

describe('completeWaiters', () => {
  const parked = async (count: number): Promise<MemoryWaiters> => {
    const waiters = new MemoryWaiters();
    for (let n = 0; n < count; n++) {
      await waiters.park({ ...ref, workflow: `flow-${n}`, activity: '3', taskToken: token(`token-${n}`) });
    }
    await waiters.park({ ...ref, connection: 'cn_other', workflow: 'other', activity: '3', taskToken: token('other') });
    return waiters;
  };
  const wake = (waiters: MemoryWaiters, complete: CompleteWaitersPorts['completion']['complete']): Promise<unknown> =>
    new MockActivityEnvironment({}, quiet).run(
      createCompleteWaiters({ waiters, completion: { complete } }),
      ref,
      'active' as const,
    );

  it('completes each waiter of this connection once, at most 20 at a time, and removes its row', async () => {
    const waiters = await parked(55);
    const completed: string[] = [];
    let now = 0;
    let most = 0;
    await wake(waiters, async (taskToken: unknown, result: unknown) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      completed.push(`${String(taskToken)} ${JSON.stringify(result)}`);
    });
    expect(completed.sort()).toEqual(
      Array.from({ length: 55 }, (_, n) => `token-${n} {"v":1,"state":"active"}`).sort(),
    );
    expect(most).toBe(20);
    expect([...waiters.rows.keys()]).toEqual(['other 3']);
  });

  it('removes the row of a flow that ended meanwhile', async () => {
    const waiters = await parked(3);
    await wake(waiters, () => Promise.reject(new ActivityNotFoundError('gone')));
    expect(waiters.rows.size).toBe(1);
  });

  it('keeps the row of a flow that re-armed meanwhile', async () => {
    const waiters = await parked(1);
    await wake(waiters, async () => {
      await waiters.park({ ...ref, workflow: 'flow-0', activity: '3', taskToken: token('newer') });
      throw new ActivityNotFoundError('replaced');
    });
    expect((await waiters.list(ref)).map((row) => String(row.taskToken))).toEqual(['newer']);
  });

  it('tries all, then fails by our code when some are left; repeated, it does what is left', async () => {
    const waiters = await parked(30);
    const broken = wake(waiters, async (taskToken: unknown) => {
      if (/[37]$/.test(String(taskToken))) throw new Error('gRPC, with metadata nobody should see');
    });
    await expect(broken).rejects.toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      coordinates: { connection: REF, left: 6 },
    });
    await expect(broken).rejects.not.toHaveProperty('cause');
    expect(await waiters.list(ref)).toHaveLength(6);
    await wake(waiters, () => Promise.resolve());
    expect(await waiters.list(ref)).toEqual([]);
  });
});
