/** `durable-oauth server` with the demo's preset row. */
import { fail, untilAskedToEnd } from '../src/cli/exit';
import { runServer } from '../src/cli/run-server';
import { readConfig } from '../src/config';
import { demoCatalogue } from './catalogue';

async function main(): Promise<void> {
  const server = await runServer(readConfig(process.env), { catalogue: demoCatalogue(process.env) });
  process.stderr.write(`server ready at ${server.url}\n`);
  await untilAskedToEnd();
  await server.stop();
}

void main()
  .catch(fail)
  .then(() => process.exit());
