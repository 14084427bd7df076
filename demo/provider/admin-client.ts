/** The provider's admin port, typed: for the demo's judge and for tests. */

export interface Acknowledgement {
  readonly order: string;
  readonly key: string;
  readonly client: string;
  readonly at: string;
}

/** The API's own record of what was done to it. */
export interface Journal {
  readonly created: readonly { readonly id: string; readonly created_at: string; readonly total: number }[];
  readonly effects: readonly Acknowledgement[];
  /** Requests under a key that had its effect already. */
  readonly repeats: readonly Acknowledgement[];
  /** Requests answered 401. */
  readonly refused: number;
}

export interface ClientLedger {
  readonly requests: number;
  readonly granted: number;
  readonly refused: number;
  readonly byGrantType: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
}

/** All requests to /token since the data folder was made. */
export interface LedgerSummary {
  readonly requests: number;
  readonly granted: number;
  /** Requests in flight together with another that presented the same refresh token or code. */
  readonly overlapping: number;
  /** Refresh tokens and codes presented more than once. */
  readonly presentedAgain: number;
  /** Answers kept back by a fault. */
  readonly withheld: number;
  readonly byClient: Readonly<Record<string, ClientLedger>>;
}

export interface ProviderHealth {
  readonly pid: number;
  /** Clients whose next refresh will be withheld. */
  readonly armed: readonly string[];
  readonly held: readonly { readonly clientId: string; readonly since: string }[];
}

export interface ProviderAdmin {
  health(): Promise<ProviderHealth>;
  ledger(): Promise<LedgerSummary>;
  journal(): Promise<Journal>;
  /** No new orders from now on. @returns how many there are */
  stopOrders(): Promise<number>;
  /** End every grant of an account, of a client, or of both together, with its tokens. @returns how many ended */
  revokeGrant(of: { sub?: string; clientId?: string }): Promise<number>;
  /** Commit the client's next refresh and keep its answer back until `release`, or until the client goes away. */
  withholdNextRefresh(clientId: string): Promise<void>;
  /** Resolve once an answer to the client is being kept back. @throws when none is after `timeoutMs` */
  untilWithheld(clientId: string, timeoutMs: number): Promise<void>;
  /** Let the answers out that are kept back. @returns how many */
  release(): Promise<number>;
}

export function adminClient(adminUrl: string): ProviderAdmin {
  const call = async <T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> => {
    const response = await fetch(adminUrl + path, {
      method,
      ...(method === 'POST' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`the provider's admin port answered ${response.status} to ${method} ${path}`);
    return (await response.json()) as T;
  };
  const health = (): Promise<ProviderHealth> => call('GET', '/admin/health');
  return {
    health,
    ledger: () => call('GET', '/ledger/summary'),
    journal: () => call('GET', '/admin/journal'),
    stopOrders: async () => (await call<{ created: number }>('POST', '/admin/orders/stop')).created,
    revokeGrant: async (of) => (await call<{ revoked: number }>('POST', '/admin/revoke-grant', of)).revoked,
    withholdNextRefresh: async (clientId) => {
      await call('POST', '/admin/fault', { point: 'after_commit_before_answer', clientId });
    },
    untilWithheld: async (clientId, timeoutMs) => {
      const deadline = Date.now() + timeoutMs;
      while (!(await health()).held.some((answer) => answer.clientId === clientId)) {
        if (Date.now() > deadline) throw new Error(`no answer to ${clientId} was withheld within ${timeoutMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    release: async () => (await call<{ released: number }>('POST', '/admin/release')).released,
  };
}
