import temporalCli from '../src/cli/dev/temporal-cli.js';
import { isMain, main, Problem } from './root.mjs';

/**
 * Find or get a Temporal server (see src/cli/dev/temporal-cli.js).
 * @returns {Promise<{ kind: 'address', address: string } | { kind: 'executable', path: string }>}
 */
export async function locateTemporal() {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await temporalCli.locateTemporal({ log: (line) => console.error(line), signal: interruption.signal });
  } catch (error) {
    if (interruption.signal.aborted) throw new Problem('Interrupted while getting the Temporal server.');
    throw new Problem(error.message);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

if (isMain(import.meta.url)) main(locateTemporal);
