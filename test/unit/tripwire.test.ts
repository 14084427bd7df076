/** The harness fails when it must: each wire is tripped on purpose. */
import { ApplicationFailure } from '@temporalio/common';
import { boundaryGuard, Tripwire } from '../support/tripwire';

const SECRET = 'canary-secret-0123456789';
const payload = (text: string) => ({ metadata: {}, data: Buffer.from(text) });

describe('the tripwire codec', () => {
  it.each([
    ['plain', SECRET],
    ['in base64', Buffer.from(`{"x":"${SECRET}"}`).toString('base64')],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
    ['in hex', Buffer.from(SECRET).toString('hex')],
  ])('throws at the line that encodes a watched secret, %s', (_form, text) => {
    const wire = new Tripwire();
    wire.watch([SECRET]);
    expect(() => wire.encode([payload(JSON.stringify({ nested: text }))])).toThrow(
      'A secret was about to cross Temporal',
    );
    expect(wire.leaks.length).toBeGreaterThan(0);
  });

  it('lets facts pass', async () => {
    const wire = new Tripwire();
    wire.watch([SECRET]);
    await expect(wire.encode([payload('{"generation":2}')])).resolves.toHaveLength(1);
    expect(wire.leaks).toEqual([]);
  });
});

describe('the boundary guard', () => {
  const complaints = async (error: unknown): Promise<string[]> => {
    const seen: string[] = [];
    const { inbound } = boundaryGuard(seen)();
    const input = { args: [], headers: {} };
    await expect(inbound.execute?.(input, () => Promise.reject(error as Error))).rejects.toBe(error);
    return seen;
  };

  it('writes down a foreign error, a failure without code, a cause, and a defect', async () => {
    expect(await complaints(new Error('socket hang up'))).toHaveLength(1);
    expect(await complaints(ApplicationFailure.nonRetryable('x', 'AxiosError'))).toHaveLength(1);
    expect(await complaints(ApplicationFailure.create({ type: 'GRANT_REFUSED', cause: new Error('x') }))).toHaveLength(
      1,
    );
    expect(await complaints(ApplicationFailure.nonRetryable('x', 'INTERNAL'))).toHaveLength(1);
  });

  it('has nothing against a failure of ours', async () => {
    expect(await complaints(ApplicationFailure.nonRetryable('refused', 'GRANT_REFUSED'))).toEqual([]);
  });
});
