/** docs/connections.md as a newcomer follows it: by curl against the running server, and a machine the provider knows. */
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { saved } from '../support/scenes';
import { commandsOf, describeWithCurl, startShell, type Shell } from '../support/shell';

const SECRET = 'demo-robot-secret';

describeWithCurl('the page of connections by curl', () => {
  let provider: ScriptedProvider;
  let shell: Shell;

  beforeAll(async () => {
    provider = await startScriptedProvider({ clients: { 'demo-robot': { secret: SECRET } } });
    shell = await startShell({ secrets: () => provider.issuedSecrets() });
    await saved(shell.harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: SECRET,
      change: { grant_type: 'client_credentials', client_id: 'demo-robot' },
    });
  }, 120_000);
  afterAll(async () => {
    await shell?.stop();
    await provider?.stop();
  });

  it('every command of docs/connections.md works as printed, and answers what its comment says', async () => {
    const { script, promised } = await commandsOf('connections.md');
    const { output, statuses } = await shell.bash(script);
    expect(statuses).toEqual(promised);
    expect(output).toContain('Warehouse north');
    expect([output, ...shell.logged].filter((text) => text.includes(SECRET))).toEqual([]);
    provider.assertLedger();
    await shell.harness.judge();
  });
});
