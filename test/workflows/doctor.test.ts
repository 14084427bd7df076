/** `durable-oauth doctor` on a system that is well, and with one part after the other missing. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { examine, pollersOf, type Finding, type Patient } from '../../src/cli/doctor/checks';
import { DurableOAuthError } from '../../src/errors';
import { Harness } from '../support/harness';
import { vaultWith } from '../support/vault-with';
import { connected, settings } from '../unit/registry/builders';

let harness: Harness;
let site: Server;
let status = 303;
beforeAll(async () => {
  harness = await Harness.start();
  site = createServer((_request, response) => void response.writeHead(status, { location: '/' }).end());
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
}, 120_000);
afterAll(async () => {
  await harness?.stop();
  site?.close();
});

function patient(change: Partial<Patient> = {}): Patient {
  const { config, registry, vault, temporal, catalogue } = harness.parts;
  const callbackUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}/callback`;
  return { registry, vault, temporal, catalogue, config: { ...config, callbackUrl }, ...change };
}
const of = (findings: readonly Finding[], check: string): Finding | undefined =>
  findings.find((one) => one.check === check);

it('says of each part that it is well, and only warns that the callback is local', async () => {
  const findings = await examine(patient());
  expect(findings.map(({ check, status: said }) => `${check}: ${said}`)).toEqual([
    'registry: ok',
    'clock skew: ok',
    'vault: ok',
    'envelope key: ok',
    'Temporal: ok',
    'queue durable-oauth: ok',
    'queue durable-oauth-requests: ok',
    'outage slack: ok',
    'callback: warning',
  ]);
  for (const { text } of findings) expect(text).not.toBe('');
});

it('without database, vault and Temporal everything that needs them is red, and says what to do', async () => {
  const findings = await examine(patient({ registry: undefined, vault: undefined, temporal: undefined }));
  expect(findings.filter(({ status: said }) => said === 'red')).toHaveLength(8);
  for (const { status: said, todo } of findings) expect(said === 'ok' ? 'nothing' : todo).toBeTruthy();
});

it('a vault that nobody has made yet is no fault', async () => {
  const { registry } = harness.parts;
  const none = { ...registry, envelopeKeys: { ...registry.envelopeKeys, list: async () => [] } };
  expect(of(await examine(patient({ vault: undefined, registry: none })), 'vault')).toMatchObject({
    status: 'warning',
  });
  expect(of(await examine(patient({ vault: undefined })), 'vault')).toMatchObject({ status: 'red' });
});

it('a vault that does not take, give or destroy is red at that step', async () => {
  const down = (): Promise<never> => Promise.reject(new DurableOAuthError('VAULT_UNAVAILABLE', 'The disk is full'));
  for (const step of ['checkWritable', 'put', 'latest', 'destroy'] as const) {
    const finding = of(await examine(patient({ vault: vaultWith(harness.parts.vault, { [step]: down }) })), 'vault');
    expect(finding).toMatchObject({ status: 'red', text: expect.stringContaining('The disk is full') as unknown });
  }
});

it('tables of another version, a clock that is off, a callback that fails and a queue nobody polls are seen', async () => {
  const { registry, config, temporal } = harness.parts;
  const client = new Client({ connectionString: config.databaseUrl });
  await client.connect();
  await client.query("DELETE FROM schema_migrations WHERE name = '0002-quarantine'");
  await client.query("INSERT INTO schema_migrations (name) VALUES ('9999-future')");
  const ahead = { ...registry, ping: async () => new Date(Date.now() + 60_000).toISOString() };
  status = 502;
  const findings = await examine(patient({ registry: ahead }));
  status = 303;
  expect(of(findings, 'registry')).toMatchObject({ status: 'red', text: 'lacks 0002-quarantine' });
  expect(of(findings, 'clock skew')).toMatchObject({ status: 'red' });
  expect(of(findings, 'callback')).toMatchObject({ status: 'red' });
  await client.query("INSERT INTO schema_migrations (name) VALUES ('0002-quarantine')");
  expect(of(await examine(patient()), 'registry')).toMatchObject({ status: 'warning' });
  await client.query("DELETE FROM schema_migrations WHERE name = '9999-future'");
  await client.end();
  expect(await pollersOf(temporal, 'a-queue-nobody-polls', 'ACTIVITY')).toBe(0);
});

it('no envelope key is red, an old one a warning', async () => {
  const { registry } = harness.parts;
  const keys = (list: Awaited<ReturnType<typeof registry.envelopeKeys.list>>) =>
    patient({ registry: { ...registry, envelopeKeys: { ...registry.envelopeKeys, list: async () => list } } });
  expect(of(await examine(keys([])), 'envelope key')).toMatchObject({ status: 'red' });
  const old = { kid: 'ek_1', publicJwk: {}, createdAt: new Date(Date.now() - 4 * 86_400_000).toISOString() };
  expect(of(await examine(keys([old])), 'envelope key')).toMatchObject({
    status: 'warning',
    text: 'the newest is 96 h old',
  });
});

it('says which outage the tokens outlive, and warns when a longer one is expected', async () => {
  const { registry } = harness.parts;
  await registry.tenants.create('slack', 'Slack');
  const buffered = settings({ policy: { refresh: 'proactive', fallback: 'pause', refresh_buffer_seconds: 900 } });
  await connected(registry, 'slack', { settings: buffered });
  const asked = async (outageMs: number) => of(await examine(patient({ outageMs })), 'outage slack');
  expect(await asked(600_000)).toMatchObject({ status: 'ok', text: expect.stringContaining('of 890 s') as unknown });
  await connected(registry, 'slack');
  expect(await asked(0)).toMatchObject({ status: 'ok', text: expect.stringContaining('of 290 s') as unknown });
  expect(await asked(600_000)).toMatchObject({
    status: 'warning',
    text: expect.stringContaining('1 would expire in one of 10 min') as unknown,
  });
});
