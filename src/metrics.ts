/** Figures of a process, for Prometheus. Labels never name a connection. */
import { Counter, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  /** Reads of the token reader; each checked the expiry (000-23). */
  readonly tokenChecks: Counter;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const tokenChecks = new Counter({
    name: 'durable_oauth_token_checks_total',
    help: 'Times an access token was checked for expiry before use',
    registers: [registry],
  });
  return { registry, tokenChecks };
}
