/** Flows of an author, for the tests of what flows use. */
import { proxyActivities } from '@temporalio/workflow';
import { connection, path, whenConnected } from '../../src/flow';
import type { ConnectionOptions, RequestOptions } from '../../src/flow';

const { exportLabels } = proxyActivities<{ exportLabels(ref: string): Promise<string[]> }>({
  startToCloseTimeout: '1 minute',
});

export async function requestFlow(ref: string, request: RequestOptions, options?: ConnectionOptions): Promise<unknown> {
  const open = connection as (ref: string, options?: ConnectionOptions) => ReturnType<typeof connection>;
  const answer = await open(ref, options).request(request);
  return answer ?? 'skipped';
}

export async function labelsFlow(ref: string): Promise<string[]> {
  return whenConnected(ref, () => exportLabels(ref));
}

export async function pathFlow(id: string): Promise<string> {
  return path`/orders/${id}`;
}
