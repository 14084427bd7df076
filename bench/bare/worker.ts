/** A worker for the bare workflow, with the options ours has; says every second how much was done. */
import { NativeConnection, Worker } from '@temporalio/worker';

export const BARE_QUEUE = 'bare';

async function main(): Promise<void> {
  const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] });
  let done = 0;
  const worker = await Worker.create({
    connection,
    taskQueue: BARE_QUEUE,
    workflowsPath: require.resolve('./workflows'),
    stickyQueueScheduleToStartTimeout: '2 s',
    activities: {
      async work(): Promise<{ v: 1 }> {
        done++;
        return { v: 1 };
      },
    },
  });
  const telling = setInterval(() => process.stdout.write(`done ${done}\n`), 1_000);
  process.once('SIGTERM', () => worker.shutdown());
  process.stdout.write('worker ready\n');
  await worker.run();
  clearInterval(telling);
  await connection.close();
}

void main();
