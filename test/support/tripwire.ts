/**
 * Three wires around every workflow test: a codec that throws at the line that encodes a secret, an interceptor that
 * refuses foreign errors at the activity boundary, and a scan of everything that was left behind.
 */
import { CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, type Payload, type PayloadCodec } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { isErrorCode } from '../../src/errors';
import { findCanaries } from '../../src/testing/canary';

export class Tripwire implements PayloadCodec {
  readonly #secrets = new Set<string>();
  readonly leaks: string[] = [];

  watch(secrets: Iterable<string>): void {
    for (const secret of secrets) if (secret.length >= 12) this.#secrets.add(secret);
  }

  get secrets(): string[] {
    return [...this.#secrets];
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    for (const { data } of payloads) {
      const found = data ? findCanaries(Buffer.from(data), this.secrets) : [];
      if (found.length > 0) {
        this.leaks.push(...found);
        throw new Error(`A secret was about to cross Temporal (${found.join(', ')})`);
      }
    }
    return Promise.resolve(payloads);
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads);
  }
}

/** @returns an interceptor that writes down every failure that is not of ours */
export function boundaryGuard(violations: string[]): () => { inbound: ActivityInboundCallsInterceptor } {
  return () => ({
    inbound: {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          const complaint = complaintOf(error);
          if (complaint) violations.push(complaint);
          throw error;
        }
      },
    },
  });
}

function complaintOf(error: unknown): string | undefined {
  if (error instanceof CompleteAsyncError || error instanceof CancelledFailure) return undefined;
  if (!(error instanceof ApplicationFailure))
    return `a foreign error left an activity: ${String((error as Error)?.name)}`;
  if (!isErrorCode(error.type)) return `a failure without code left an activity: ${String(error.type)}`;
  if (error.type === 'INTERNAL') return `a defect left an activity: ${error.message}`;
  return error.cause === undefined ? undefined : `a failure left an activity with a cause: ${error.type}`;
}
