/** A provider that a tenant made, on real parts: its quirks are obeyed wherever a shipped preset's would be. */
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness } from '../support/harness';
import { caller, complete, link, read, save, saved } from '../support/scenes';

const CALLBACK = 'https://oauth2.integrations.acme.com/callback';
const OWN = 'pv_pizza';
/** In the provider's own unit: absurd to whoever does not know it. */
const TWO_HOURS = 7_200_000;

let provider: ScriptedProvider;
let harness: Harness;

beforeAll(async () => {
  provider = await startScriptedProvider({
    clients: { app: { secret: 'app-secret-canary' }, robot: { secret: 'robot-secret-canary' } },
  });
  provider.expiresIn(TWO_HOURS);
  harness = await Harness.start({ tuning: { jitter: 0 }, secrets: () => provider.issuedSecrets() });
  await harness.parts.registry.providers.create({
    tenant: harness.tenant,
    id: OWN,
    base: null,
    preset: {
      name: OWN,
      title: 'Pizzavan',
      endpoints: provider.endpoints,
      response: { expires_in_unit: 'ms' },
      authorization_params: { audience: 'pizza' },
    },
    event: { type: 'provider.created', ...caller },
  });
}, 120_000);
afterEach(async () => {
  provider.assertLedger();
  await harness.judge();
});
afterAll(async () => {
  await harness?.stop();
  await provider?.stop();
});

const scene = (change: object, clientSecret: string) => ({
  at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
  clientSecret,
  change: { preset: OWN, endpoints: provider.endpoints, ...change },
});
const lifetimeOf = async (ref: { tenant: string; connection: string }) =>
  (await harness.parts.registry.connections.get(ref))?.lifetimeSeconds;

it('001-03 is obeyed when client credentials are saved, refreshed and read', async () => {
  provider.expiresIn(10_000);
  const ref = await saved(harness, scene({ client_id: 'robot' }, 'robot-secret-canary'));
  expect(await lifetimeOf(ref)).toBe(10);
  provider.expiresIn(TWO_HOURS);
  await eventually(
    'refreshed',
    () => harness.parts.registry.connections.get(ref),
    (row) => row?.lifetimeSeconds === 7200,
  );
  expect((await read(harness, ref)).preset).toBe(OWN);
  expect((await harness.parts.connections.describe(ref)).state).toBe('active');
});

it('001-03 is obeyed where a person consents: on the way to the provider, and by the exchange', async () => {
  const code = { grant_type: 'authorization_code', client_id: 'app', scope: 'read', redirect_uri: CALLBACK };
  const ref = await saved(harness, scene(code, 'app-secret-canary'));
  const { location, cookie } = await harness.parts.consents.begin(await link(harness, ref), 'en');
  expect(new URL(location).searchParams.get('audience')).toBe('pizza');
  const there = await fetch(location, { redirect: 'manual' });
  const callbackUrl = there.headers.get('location') ?? '';
  const params = new URL(callbackUrl).searchParams;
  const [stateHash = '', browserSecret = ''] = cookie.value.split('.');
  harness.tripwire.watch([params.get('state') ?? '', params.get('code') ?? '', browserSecret]);
  const visitor = { cookie: `${cookie.name}=${cookie.value}`, callbackUrl, stateHash, attempt: stateHash.slice(0, 8) };
  expect(await complete(harness, visitor)).toBe('connected');
  await eventually(
    'active',
    () => harness.parts.registry.connections.get(ref),
    (row) => row?.state === 'active',
  );
  expect(await lifetimeOf(ref)).toBe(7200);
});

it('001-03 of another tenant, or one that is not there, is none to save with', async () => {
  const outcome = await save(harness, scene({ client_id: 'robot', preset: 'pv_nobody' }, 'robot-secret-canary'));
  expect(outcome).toMatchObject({ kind: 'failed', code: 'OAUTH_CLIENT_UNUSABLE' });
});
