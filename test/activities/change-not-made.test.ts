/** Telling the log that a change was not made, when an answer of the registry is lost. */
import { createRecordChangeNotMade } from '../../activities/change-integration';
import type { UnmadeChange } from '../../activities/contract';
import { DurableOAuthError } from '../../src/errors';
import type { Registry } from '../../src/registry/contract';
import { openRegistry } from '../../src/registry/open';
import { testDatabase, type TestDatabase } from '../support/database';
import { tenantGuard } from '../support/tenant-guard';
import { newTenant } from '../unit/registry/builders';

let database: TestDatabase;
let registry: Registry;
let tenant: string;

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});
beforeEach(async () => {
  tenant = await newTenant(registry);
});

const change = (secret?: string): UnmadeChange => ({
  v: 1,
  tenant,
  integration: 'in_1',
  secret,
  members: ['client_secret'],
  event: 'integration.change_refused',
  code: 'CLIENT_REJECTED',
  by: 'ann@acme.test',
  traceId: 'tr_1',
});
const record = (input: UnmadeChange) => createRecordChangeNotMade({ registry })(input);
const told = () => registry.events.list(tenant, undefined, { size: 10 });

it('is told once, however often; of another change, and of another tenant, by itself', async () => {
  let lost = 0;
  const events: Registry['events'] = {
    ...registry.events,
    async append(...given) {
      await registry.events.append(...given);
      lost++;
      throw new DurableOAuthError('REGISTRY_UNAVAILABLE');
    },
  };
  const unanswered = createRecordChangeNotMade({ registry: { ...registry, events } })(change('sec_1'));
  await expect(unanswered).rejects.toMatchObject({ type: 'REGISTRY_UNAVAILABLE', nonRetryable: false });
  await record(change('sec_1'));
  expect([lost, await told()]).toEqual([
    1,
    [expect.objectContaining({ id: expect.stringMatching(/^ev_[a-z2-7]{26}$/) as unknown, traceId: 'tr_1' })],
  ]);
  await record(change('sec_2'));
  expect(await told()).toHaveLength(2);
  tenant = await newTenant(registry);
  await record(change('sec_1'));
  expect(await told()).toHaveLength(1);
});

it('of a workflow of an earlier version, which names no secret, is told as before', async () => {
  await record(change());
  expect(await told()).toMatchObject([{ type: 'integration.change_refused', facts: { code: 'CLIENT_REJECTED' } }]);
});
