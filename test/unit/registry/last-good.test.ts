import { DurableOAuthError, type ErrorCode } from '../../../src/errors';
import type { IntegrationRow, Registry } from '../../../src/registry/contract';
import { withLastGood } from '../../../src/registry/last-good';
import { settings } from './builders';

const row: IntegrationRow = {
  tenant: 't',
  id: 'in_1',
  oauthClientId: 'oc_1',
  settings: settings(),
  component: null,
  createdAt: '2026-11-21T00:00:00.000Z',
};
const keys = [{ kid: 'k1', publicJwk: {}, createdAt: '2026-11-21T00:00:00.000Z' }];

/** A registry that answers what it is told to. */
function scripted(maxAgeMs?: number) {
  const script: { integration: IntegrationRow | undefined; failure: ErrorCode | undefined } = {
    integration: row,
    failure: undefined,
  };
  const answer =
    <T>(value: () => T) =>
    () =>
      script.failure === undefined ? Promise.resolve(value()) : Promise.reject(new DurableOAuthError(script.failure));
  const registry = withLastGood(
    {
      integrations: { get: answer(() => script.integration) },
      connections: {
        context: answer(() => script.integration && { connection: {}, integration: script.integration, client: {} }),
      },
      envelopeKeys: { list: answer(() => keys) },
    } as unknown as Registry,
    { maxAgeMs },
  );
  return { registry, script };
}

const ref = { tenant: 't', connection: 'cn_1' };

it('what was read is answered while the registry is silent', async () => {
  const { registry, script } = scripted();
  const before = [
    await registry.integrations.get('t', 'in_1'),
    await registry.connections.context(ref),
    await registry.envelopeKeys.list(),
  ];
  script.failure = 'REGISTRY_UNAVAILABLE';
  expect([
    await registry.integrations.get('t', 'in_1'),
    await registry.connections.context(ref),
    await registry.envelopeKeys.list(),
  ]).toEqual(before);
});

it('what was not read, or of another tenant, is not answered while the registry is silent', async () => {
  const { registry, script } = scripted();
  await registry.integrations.get('t', 'in_1');
  script.failure = 'REGISTRY_UNAVAILABLE';
  await expect(registry.integrations.get('u', 'in_1')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  await expect(registry.connections.context(ref)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
});

it('a not-found is passed on and forgets what was good before', async () => {
  const { registry, script } = scripted();
  await registry.integrations.get('t', 'in_1');
  script.integration = undefined;
  expect(await registry.integrations.get('t', 'in_1')).toBeUndefined();
  script.failure = 'REGISTRY_UNAVAILABLE';
  await expect(registry.integrations.get('t', 'in_1')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
});

it('any other failure than silence is passed on', async () => {
  const { registry, script } = scripted();
  await registry.integrations.get('t', 'in_1');
  script.failure = 'INTERNAL';
  await expect(registry.integrations.get('t', 'in_1')).rejects.toMatchObject({ code: 'INTERNAL' });
});

it('an answer older than the limit is not given', async () => {
  const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
  const { registry, script } = scripted(60_000);
  await registry.integrations.get('t', 'in_1');
  script.failure = 'REGISTRY_UNAVAILABLE';
  now.mockReturnValue(60_900);
  await expect(registry.integrations.get('t', 'in_1')).resolves.toEqual(row);
  now.mockReturnValue(61_200);
  await expect(registry.integrations.get('t', 'in_1')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  now.mockRestore();
});
