/** A provider whose tokens were issued a while ago. */
import type { Ports } from '../../src/compose';

const MINUTE = 60_000;

/** Tokens old enough to be refreshed on a caller's word. */
export function tenMinutesAgo(server: Ports['authorizationServer']): Ports['authorizationServer'] {
  const back = (text: string): string => new Date(Date.parse(text) - 10 * MINUTE).toISOString();
  const older = <T extends { issuedAt: string; expiresAt: string | null }>(a: T): T => ({
    ...a,
    issuedAt: back(a.issuedAt),
    expiresAt: a.expiresAt && back(a.expiresAt),
  });
  return {
    ...server,
    clientCredentials: async (...args) => older(await server.clientCredentials(...args)),
    exchangeCode: async (...args) => older(await server.exchangeCode(...args)),
    refresh: async (...args) => older(await server.refresh(...args)),
  };
}
