/** What ends of a grant and of secrets, told as it happens: by the provider and by the vault, in their order. */
import type { Ports } from '../../src/compose';
import { vaultWith } from './vault-with';

/** @param tell hears what the provider accepted and what the vault destroyed, afterwards */
export const tellingEndings =
  (tell: (what: string) => void) =>
  (ports: Ports): Ports => {
    const { vault, authorizationServer: server } = ports;
    return {
      ...ports,
      authorizationServer: {
        ...server,
        async revoke(target, token, hint) {
          const outcome = await server.revoke(target, token, hint);
          tell(`${outcome} ${hint} as ${target.clientId}`);
          return outcome;
        },
      },
      vault: vaultWith(vault, {
        async destroy(ref) {
          await vault.destroy(ref);
          tell(`destroyed ${ref}`);
        },
      }),
    };
  };
