/** A Temporal dev server for one test file, with the flags that keep test timers from costing a second each. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';

/** The Temporal CLI, which is the dev server too. */
export const temporalCli = (): string =>
  process.env.TEMPORAL_CLI_PATH ?? join(homedir(), '.cache/durable-oauth/temporal-cli/v1.5.1/temporal');

export function startTemporal(): Promise<TestWorkflowEnvironment> {
  const set = (name: string, value: string): string[] => ['--dynamic-config-value', `${name}=${value}`];
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: temporalCli() },
      extraArgs: [
        ...set('history.timerProcessorMaxTimeShift', '"1ms"'),
        ...set('history.workflowIdReuseMinimalInterval', '"10ms"'),
        ...set('history.maxInFlightUpdates', '100'),
      ],
    },
  });
}
