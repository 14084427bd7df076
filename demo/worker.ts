/** `durable-oauth worker` with the demo's preset row and, when the judge asks for it, a place to die at. */
import { fail, untilAskedToEnd } from '../src/cli/exit';
import { runWorker } from '../src/cli/run-worker';
import { readConfig } from '../src/config';
import { demoCatalogue } from './catalogue';
import { faultyPorts } from './faults';

async function main(): Promise<void> {
  const worker = await runWorker(readConfig(process.env), {
    catalogue: demoCatalogue(process.env),
    decorate: faultyPorts(process.env),
  });
  process.stderr.write('worker ready\n');
  await Promise.race([untilAskedToEnd(), worker.ended]);
  await worker.stop();
}

void main()
  .catch(fail)
  .then(() => process.exit());
