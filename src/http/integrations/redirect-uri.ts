/** The redirect URI is ours, byte for byte (C13): one base, and below it a context for each integration with typed endpoints. */

export function redirectUri(base: string, contextId?: string): string {
  return contextId === undefined ? base : `${base.replace(/\/$/, '')}/${contextId}`;
}

/** Path under which the base is answered. */
export const redirectPath = (base: string): string => new URL(base).pathname;

/** Unique over all tenants, and known before saving to whoever chooses the integration's id. */
export const contextIdOf = (tenant: string, integration: string): string => `${tenant}.${integration}`;
