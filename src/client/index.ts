/** Door `durable-oauth/client`: what a caller holds. */
import { Client, Connection } from '@temporalio/client';
import type { JWK } from 'jose';
import { createSealer } from '../envelope';
import { DurableOAuthError } from '../errors';
import { createCallback } from './consents';
import type { Consents } from './contract';

export interface ConnectConsentsOptions {
  /** Temporal frontend, `host:port`. */
  readonly address: string;
  readonly namespace?: string;
  /** Where the durable-oauth server publishes the workers' keys: `<server>/.well-known/jwks.json`. */
  readonly jwksUrl: string;
  /** Where the durable-oauth server's pages are: the browser goes on to its confirm page. */
  readonly publicUrl: string;
}

/**
 * Receive OAuth callbacks in a web server of your own.
 *
 * The code is sealed to the workers' key before it leaves your process; your server needs no vault and no database.
 * @throws TEMPORAL_UNAVAILABLE
 */
export async function connectConsents(
  options: ConnectConsentsOptions,
): Promise<Pick<Consents, 'callback'> & { close(): Promise<void> }> {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address: options.address });
  } catch {
    throw new DurableOAuthError('TEMPORAL_UNAVAILABLE', 'Connecting to Temporal', { address: options.address });
  }
  const sealer = createSealer({ publicKeys: () => fetchKeys(options.jwksUrl) });
  const temporal = new Client({ connection, namespace: options.namespace });
  const callback = createCallback({ temporal, sealer, publicUrl: options.publicUrl.replace(/\/+$/, '') });
  return { callback, close: () => connection.close() };
}

async function fetchKeys(url: string): Promise<(JWK & { kid: string })[]> {
  const unavailable = new DurableOAuthError('REGISTRY_UNAVAILABLE', 'Reading the public keys', { url });
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  if (answer?.status !== 200) throw unavailable;
  const { keys } = (await answer.json()) as { keys?: (JWK & { kid?: string })[] };
  return (keys ?? []).filter((key): key is JWK & { kid: string } => key.kid !== undefined);
}

export { createConnections, type ConnectionsDeps } from './connections';
export { createConsents, type ConsentsDeps } from './consents';
export type {
  Caller,
  ChangeIntegrationRequest,
  ChangeOutcome,
  Confirmation,
  Confirmer,
  Connections,
  Consents,
  ConsentView,
  FreshToken,
  SaveOutcome,
  SaveRequest,
  SetCookie,
  TokenReader,
} from './contract';
export { createTokenReader, type TokenReaderDeps } from './token-reader';
export { DurableOAuthError, isDurableOAuthError, type ErrorCode } from '../errors';
