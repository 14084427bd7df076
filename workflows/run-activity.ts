/** How workflows call activities: by name, with the policy of the table and a summary in plain words for the Web UI. */
import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { DurableOAuthActivities } from '../activities/contract';
import { ACTIVITY_POLICIES } from './policies';

type Name = keyof DurableOAuthActivities;
type Input<N extends Name> = Parameters<DurableOAuthActivities[N]>[0];
type Result<N extends Name> = Awaited<ReturnType<DurableOAuthActivities[N]>>;

export function run<N extends Name>(
  name: N,
  summary: string,
  input: Input<N>,
  policy: ActivityOptions = ACTIVITY_POLICIES[name],
): Promise<Result<N>> {
  const proxies = proxyActivities<DurableOAuthActivities>(policy);
  const { executeWithOptions } = proxies[name] as unknown as Proxy<N>;
  return executeWithOptions({ summary }, [input]);
}

/** The SDK's proxy type does not survive a generic name. */
interface Proxy<N extends Name> {
  executeWithOptions(options: { summary: string }, args: [Input<N>]): Promise<Result<N>>;
}
