import { inspect } from 'node:util';
import { DurableOAuthError } from '../../../src/errors';
import { onDisk } from '../../../src/vault/disk';

function fails(error: unknown): Promise<unknown> {
  const end = onDisk('The vault entry was not stored', { ref: 'grant/acme/cn_1/gr_1' }, async () => {
    throw error;
  });
  return end.catch((failure: unknown) => failure);
}

it.each([
  ['EACCES', 'check its owner and mode'],
  ['EIO', 'the disk reports an error'],
  ['ENOSPC', 'free space'],
  ['EROFS', 'mounted read-only'],
  ['EUNHEARDOF', 'the file system refuses it'],
])('%s is an unavailable vault, and says what to do', async (code, advice) => {
  const foreign = Object.assign(new Error(`${code}: failed, open '/some/where'`), { code, path: '/some/where' });
  const failure = await fails(foreign);
  expect(failure).toMatchObject({
    code: 'VAULT_UNAVAILABLE',
    message: expect.stringContaining(advice),
    coordinates: { ref: 'grant/acme/cn_1/gr_1', errno: code },
  });
  expect(inspect(failure)).not.toContain('/some/where');
});

it('a failure of ours passes as it is', async () => {
  const own = new DurableOAuthError('VAULT_GONE');
  expect(await fails(own)).toBe(own);
});

it.each([new TypeError('canary-in-a-message'), 'canary-in-a-message', { code: 'ERR_INVALID_ARG_TYPE' }, undefined])(
  'anything else is a defect of ours, without its message',
  async (thrown) => {
    const failure = await fails(thrown);
    expect(failure).toMatchObject({ code: 'INTERNAL' });
    expect(inspect(failure)).not.toContain('canary');
  },
);

it('work that does not end is given up', async () => {
  const endless = onDisk('The vault entry was not read', {}, () => new Promise(() => undefined), 5);
  await expect(endless).rejects.toMatchObject({
    code: 'VAULT_UNAVAILABLE',
    message: 'The vault entry was not read: the disk did not answer in time',
  });
});
