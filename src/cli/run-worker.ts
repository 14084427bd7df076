/** `durable-oauth worker`: the workflows, their activities, authorised requests and housekeeping. Any number of them. */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { compose, type ComposeOptions } from '../compose';
import type { Config } from '../config';
import { startHousekeeping } from '../housekeeping';
import { createWorkers } from '../workers';

export interface RunningWorker {
  /** Ends when a worker fails, or after `stop`. */
  readonly ended: Promise<void>;
  /** Lets a refresh in flight finish (up to 50 s). */
  stop(): Promise<void>;
}

/** @param options `decorate` and `catalogue` serve the demo and tests */
export async function runWorker(config: Config, options: ComposeOptions = {}): Promise<RunningWorker> {
  const log = pino({ level: config.logLevel, name: 'worker' });
  // The SDK's lines carry ids and codes; its metadata is not passed on.
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message }) => {
      // One of our workers is for requests alone, on purpose.
      if (!message.startsWith('No workflows registered')) log[level === 'ERROR' ? 'error' : 'warn'](message);
    }),
    shutdownSignals: [],
  });
  const parts = await compose(config, options);
  const housekeeping = await startHousekeeping(parts, (what, facts) => log.info(facts, what));
  const workers = await createWorkers(parts);
  const ended = Promise.all(workers.map((worker) => worker.run())).then(() => undefined);
  log.info('ready');
  return {
    ended,
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
      await housekeeping.stop();
      await parts.close();
    },
  };
}
