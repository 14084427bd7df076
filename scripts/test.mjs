import { prepare, runJest, summary } from './jest.mjs';
import { Problem } from './root.mjs';

/** Jest with the arguments given, after everything it needs is there; the last line is `N passed, N failed[, N skipped]`. */
try {
  const env = await prepare();
  const outcome = await runJest(process.argv.slice(2), env);
  console.log(summary(outcome));
  process.exitCode = outcome.code;
} catch (error) {
  console.error(error instanceof Problem ? error.message : error);
  console.log(summary({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
}
