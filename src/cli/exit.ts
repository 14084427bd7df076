/** How a command ends: a sentence that says what to do, and an exit code by disposition (the numbers of sysexits.h). */
import { ERRORS, isDurableOAuthError, type Disposition, type ErrorCode } from '../errors';

const EXIT_CODES: Readonly<Record<Disposition, number>> = { retry: 75, reconsent: 77, reconfigure: 78, report: 70 };

/** `doctor` found something to set right. */
export const RED = EXIT_CODES.reconfigure;

/** Wrong use of the command line. */
export const USAGE = 64;

/** What to do about parts of ours that are missing; every other message says it itself. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  REGISTRY_UNAVAILABLE: 'Check that the database of DATABASE_URL runs and lets us in.',
  TEMPORAL_UNAVAILABLE: 'Check that the Temporal Service of TEMPORAL_ADDRESS runs.',
  VAULT_UNAVAILABLE: 'Check the store that VAULT names: `durable-oauth doctor` tries it.',
};

/** Print what went wrong and set the exit code. Anything not of ours is a defect and shows its stack. */
export function fail(error: unknown): void {
  if (isDurableOAuthError(error)) {
    const hint = HINTS[error.code];
    process.stderr.write(`durable-oauth: ${error.message} (${error.code})${hint ? `\n${hint}` : ''}\n`);
    process.exitCode = EXIT_CODES[ERRORS[error.code].disposition];
    return;
  }
  process.stderr.write(`durable-oauth: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = EXIT_CODES.report;
}

/**
 * Wait until the process is asked to end: Ctrl-C, SIGTERM, or (for a child of `dev`) the end of its supervisor, which is
 * the end of standard input. A second signal does not wait.
 */
export function untilAskedToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(130));
      });
    }
    if (process.env['DURABLE_OAUTH_SUPERVISED'] === 'on') {
      process.stdin.resume();
      process.stdin.once('end', () => resolve('the supervisor ended'));
    }
  });
}
