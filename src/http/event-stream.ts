/**
 * New events of a tenant as server-sent events (WHATWG HTML section 9.2). The registry is asked once a second; listeners
 * that have heard the same share the answer. Nothing rests on a notification that could be lost.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EventRow, Registry } from '../registry/contract';

export interface EventStreamOptions {
  /** How often the registry is asked (default 1 s). */
  readonly pollMs?: number;
  /** Silence after which a comment is sent, so that no proxy takes the stream for dead (default 15 s). */
  readonly heartbeatMs?: number;
  /** How long a listener may hear on without its right being looked at again (default 20 s). */
  readonly recheckMs?: number;
}

export interface Listener {
  readonly tenant: string;
  /** The event heard last; undefined = none yet, in a tenant without any. */
  readonly after: string | undefined;
  /** Which events are wanted. */
  wants(event: EventRow): boolean;
  /** One event as its data field. */
  show(event: EventRow): unknown;
  /** Whether it may hear on; the stream ends when it may not, or when that cannot be found out. */
  mayListen(): Promise<boolean>;
  /** It has gone. */
  readonly gone: AbortSignal;
}

type Log = Pick<Registry['events'], 'settledAfter'>;

const AT_MOST = 100;

/** @param closing ends every stream */
export function createEventStreams(
  log: Log,
  { pollMs = 1_000, heartbeatMs = 15_000, recheckMs = 20_000 }: EventStreamOptions,
  closing: AbortSignal,
): (listener: Listener) => AsyncGenerator<string> {
  const read = shared(log, pollMs);
  return async function* ({ tenant, after, wants, show, mayListen, gone }) {
    const signal = AbortSignal.any([closing, gone]);
    let last = after;
    let [checkedAt, saidAt] = [Date.now(), 0];
    while (!signal.aborted) {
      for (const event of await read(tenant, last)) {
        // Before each: a listener that reads slowly may have lost its right meanwhile.
        if (Date.now() - checkedAt >= recheckMs) {
          if (!(await mayListen())) return;
          checkedAt = Date.now();
        }
        last = event.id;
        if (!wants(event)) continue;
        yield `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(show(event))}\n\n`;
        saidAt = Date.now();
      }
      if (Date.now() - saidAt >= heartbeatMs) {
        yield ':\n\n';
        saidAt = Date.now();
      }
      await delay(pollMs, undefined, { signal }).catch(() => undefined);
      if (Date.now() - checkedAt >= recheckMs) {
        if (!(await mayListen())) return;
        checkedAt = Date.now();
      }
    }
  };
}

/** What was read a moment ago is the answer for everybody who has come as far. A registry that is silent says nothing. */
function shared(log: Log, forMs: number): (tenant: string, after?: string) => Promise<readonly EventRow[]> {
  const known = new Map<string, { readonly at: number; readonly rows: Promise<readonly EventRow[]> }>();
  return (tenant, after) => {
    const now = Date.now();
    for (const [key, { at }] of known) if (now - at >= forMs) known.delete(key);
    const key = `${tenant}/${after ?? ''}`;
    const rows = known.get(key)?.rows ?? log.settledAfter(tenant, after, AT_MOST).catch(() => []);
    if (!known.has(key)) known.set(key, { at: now, rows });
    return rows;
  };
}
