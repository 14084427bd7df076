/** The demo's authorization server with a folder of its own, for tests of whole paths. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProvider } from '../../demo/provider/process';
import type { ProviderClient, ProviderOptions, RunningProvider } from '../../demo/provider/process';

export { obtainTokens, postForm } from '../../demo/obtain-tokens';
export type { ProviderClient, RunningProvider } from '../../demo/provider/process';

/** Nobody listens there; a test that wants the callback gives its own. */
export const UNUSED_REDIRECT_URI = 'http://127.0.0.1:9/callback';

export const testClients = {
  code: { clientId: 'shop-app', clientSecret: 'shop-app-secret', kind: 'code' },
  m2m: { clientId: 'shop-robot', clientSecret: 'shop-robot-secret', kind: 'm2m' },
  pasted: { clientId: 'shop-pasted', clientSecret: 'shop-pasted-secret', kind: 'code', auth: 'client_secret_post' },
  public: { clientId: 'shop-public', kind: 'code', auth: 'none' },
} as const satisfies Record<string, ProviderClient>;

export interface TestProvider extends RunningProvider {
  readonly dataDir: string;
  /** End the process and start it again on the same folder, ports and clients. */
  restart(): Promise<TestProvider>;
  /** End the process and remove its folder. */
  close(): Promise<void>;
}

/** Starts it on free ports in a new folder; tokens live 60 s unless said otherwise. */
export async function testProvider(options: Partial<Omit<ProviderOptions, 'dataDir'>> = {}): Promise<TestProvider> {
  const dataDir = await mkdtemp(join(tmpdir(), 'provider-'));
  const start = async (): Promise<TestProvider> => {
    const provider = await startProvider({
      clients: Object.values(testClients),
      redirectUris: [UNUSED_REDIRECT_URI],
      ...options,
      dataDir,
    });
    return {
      ...provider,
      dataDir,
      restart: async () => {
        await provider.stop();
        return start();
      },
      close: async () => {
        await provider.stop();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  };
  return start();
}
