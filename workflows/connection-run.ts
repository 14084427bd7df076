/** One run of a connection: what it knows, and how what happened becomes its state. */
import { CancellationScope, condition, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { Escrow } from '../activities/contract';
import type { Surroundings } from '../src/connection/clocks';
import { describeHealth } from '../src/connection/health';
import type { Carried, GrantReady, Origin, Retirement, Tombstone, Tuning } from '../src/connection/messages';
import { apply, type CoreEvent } from '../src/connection/transitions';

/** From the moment it is asked for until its tombstone is complete, or until a newer consent connects again. */
export interface Revocation {
  /** What was done so far; undefined until the freeze is known to hold. */
  tombstone?: Tombstone;
  /** Who asked for it first; a run that found its row frozen knows nobody until somebody asks again. */
  origin?: Origin;
  /** What follows the freeze is under way. */
  begun?: boolean;
}

export class ConnectionRun {
  readonly ref: string;
  readonly tuning: Tuning | undefined;
  /** Undefined until registry and vault were read. */
  record: Carried | undefined;
  readonly grants: GrantReady[] = [];
  nudged = false;
  /** A nudge asked to find out whether it can still be renewed. */
  refreshWanted = false;
  revocation: Revocation | undefined;
  /** An answer the vault has not taken yet; revocation must reach its tokens too. */
  escrow: Escrow | undefined;
  /** Attempts that ended in this run, good or bad: callers of `ensureFresh` wait for the next one. */
  attempts = 0;
  refreshes = 0;
  /** Grants that are still being revoked and destroyed beside the main loop; the next run goes on with them. */
  readonly retiring = new Set<Retirement>();
  /** When an owed projection is tried again, epoch ms. */
  recordAt = 0;
  ended = false;

  constructor(ref: string, tuning: Tuning | undefined) {
    this.ref = ref;
    this.tuning = tuning;
  }

  get state(): Carried {
    if (this.record === undefined) throw new Error('The connection was not loaded');
    return this.record;
  }

  get around(): Surroundings {
    return { now: Date.now(), random: Math.random, tuning: this.tuning };
  }

  get origin(): Origin {
    return { by: 'system', traceId: workflowInfo().runId };
  }

  become(event: CoreEvent): void {
    this.record = apply(this.state, event, this.around);
    this.show();
  }

  /** The row is frozen and this run did not know: it was started, or reset, in the middle of a revocation. */
  foundFrozen(frozenAt: string): void {
    if (this.revocation !== undefined) return;
    const [by, reason] = ['system', 'its run was lost; gone on with'];
    this.revocation = { tombstone: { v: 1, by, reason, frozenAt, provider: 'pending' } };
    this.become({ type: 'frozen', reason: 'REVOKED_HERE' });
  }

  /** The page of the Temporal Web UI; costs no event. Lost at continue-as-new, so every run sets it first. */
  show(): void {
    setCurrentDetails(describeHealth(this.state, this.ref, new Date(Date.now()), 'en').text);
  }

  /** @returns undefined when the freeze of a revocation came first */
  async unlessRevoked<T>(work: () => Promise<T>): Promise<T | undefined> {
    const scope = new CancellationScope();
    try {
      return await scope.run(() =>
        Promise.race([work(), condition(() => this.revocation?.tombstone !== undefined).then(() => undefined)]),
      );
    } finally {
      scope.cancel();
    }
  }
}
