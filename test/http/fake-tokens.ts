/** A token reader that serves what a test wants, with no vault. */
import type { FreshToken, TokenReader } from '../../src/client/contract';
import type { ConnectionRef } from '../../src/connection/types';
import type { DurableOAuthError } from '../../src/errors';
import type { Registry } from '../../src/registry/contract';
import { Secret } from '../../src/vault/secret';

export const ACCESS_TOKEN = 'at-canary-5b1f0c2d9e8a';

/** Serves one token per generation; a refused generation is followed by the next one. */
export class FakeTokens implements TokenReader {
  generation = 3;
  failure: DurableOAuthError | undefined;

  readonly #connections: Pick<Registry['connections'], 'context'> | undefined;

  /** @param connections where the API of a token is looked up; else it is that of the CRM */
  constructor(connections?: Pick<Registry['connections'], 'context'>) {
    this.#connections = connections;
  }

  async read(ref: ConnectionRef, options: { refused?: number } = {}): Promise<FreshToken> {
    if (this.failure) throw this.failure;
    if (options.refused === this.generation) this.generation += 1;
    const context = await this.#connections?.context(ref);
    return {
      accessToken: new Secret(this.generation === 3 ? ACCESS_TOKEN : `${ACCESS_TOKEN}.${this.generation}`),
      tokenType: 'Bearer',
      expiresAt: '2030-01-01T00:00:00.000Z',
      generation: this.generation,
      grant: 'gr_1',
      audience: ['https://crm.test'],
      apiBaseUrl: context?.integration.settings.api_base_url ?? 'https://api.crm.test/v1',
      preset: 'crm',
    };
  }
}
