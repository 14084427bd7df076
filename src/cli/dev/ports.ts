import { createServer } from 'node:net';
import { DurableOAuthError } from '../../errors';

/** Loopback only: what `dev` starts is for this machine. */
export const LOOPBACK = '127.0.0.1';

/**
 * Claim ports on loopback for servers that are about to start.
 *
 * @param wanted one entry per port; 0 = any free one
 * @returns the ports, all different
 * @throws CONFIGURATION_INVALID when one is in use
 */
export async function claimPorts<const Wanted extends readonly number[]>(
  wanted: Wanted,
): Promise<{ [Index in keyof Wanted]: number }> {
  // Held open together, so that two free ports are never the same one.
  const held = await Promise.allSettled(wanted.map(hold));
  for (const { value } of held.filter((result) => result.status === 'fulfilled')) await value.release();
  const ports = held.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.port;
  });
  return ports as { [Index in keyof Wanted]: number };
}

function hold(port: number): Promise<{ port: number; release: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === 'EADDRINUSE' ? 'is in use: stop what listens there, or choose another' : 'cannot be opened';
      reject(new DurableOAuthError('CONFIGURATION_INVALID', `Port ${port} ${problem}`, { reason: error.code }));
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      const release = () => new Promise<void>((done) => server.close(() => done()));
      resolve({ port: typeof address === 'object' && address !== null ? address.port : port, release });
    });
  });
}
