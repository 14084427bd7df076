/** What a connection's histories tell the judge. */
import { Client, Connection } from '@temporalio/client';
import { connectionWorkflowId } from '../src/connection/ids';
import { createEnsureFresh } from '../src/client/connections';
import type { FreshAnswer } from '../src/connection/messages';

export interface Histories {
  readonly client: Client;
  /** Ask a connection for another token because this generation was refused. */
  force(ref: { tenant: string; connection: string }, generation: number): Promise<FreshAnswer>;
  /** Activities of all its runs, oldest first, with the JSON of their results. */
  activities(ref: { tenant: string; connection: string }): Promise<readonly { name: string; result: string }[]>;
  /** Fewest events from one refresh to the next within a run. */
  eventsPerRefresh(ref: { tenant: string; connection: string }): Promise<number>;
  close(): Promise<void>;
}

export async function openHistories(address: string): Promise<Histories> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace: 'default' });
  const fresh = createEnsureFresh(client, undefined);

  async function runs(ref: { tenant: string; connection: string }) {
    const found = [];
    for await (const one of client.workflow.list({ query: `WorkflowId = "${connectionWorkflowId(ref)}"` }))
      found.push(one);
    found.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
    return Promise.all(
      found.map(
        async ({ workflowId, runId }) =>
          (await client.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? [],
      ),
    );
  }

  return {
    client,
    force: (ref, generation) => fresh(ref, { generation, why: 'refused' }, { by: 'demo', traceId: 'demo' }),
    async activities(ref) {
      const named = [];
      for (const events of await runs(ref)) {
        for (const event of events) {
          const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
          if (!name) continue;
          const done = events.find(
            ({ activityTaskCompletedEventAttributes: a }) => a && String(a.scheduledEventId) === String(event.eventId),
          );
          const data = done?.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data;
          named.push({ name, result: data ? Buffer.from(data).toString() : '' });
        }
      }
      return named;
    },
    async eventsPerRefresh(ref) {
      const gaps: number[] = [];
      for (const events of await runs(ref)) {
        const at = events.flatMap((event, i) =>
          event.activityTaskScheduledEventAttributes?.activityType?.name === 'refreshTokenSet' ? [i] : [],
        );
        at.slice(1).forEach((position, i) => gaps.push(position - (at[i] ?? 0)));
      }
      return gaps.length === 0 ? 0 : Math.min(...gaps);
    },
    close: () => connection.close(),
  };
}
