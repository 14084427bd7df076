/** Agents that connect to the address they have checked, and to none that is not allowed. */
import type http from 'node:http';
import type https from 'node:https';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';

export interface GuardOptions {
  /** Loopback and private addresses, and http on loopback. */
  readonly allowPrivateNetworks: boolean;
}

export interface GuardedAgents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
}

/** Where clouds hand out credentials to whoever asks: not even a private authorization server lives there. */
const METADATA = ['169.254.169.254', '::ffff:a9fe:a9fe', '100.100.100.200', '::ffff:6464:64c8', 'fd00:ec2::254'];

export function createGuardedAgents({ allowPrivateNetworks }: GuardOptions): GuardedAgents {
  const rules = {
    allowPrivateIPAddress: allowPrivateNetworks,
    denyIPAddressList: METADATA,
    // A pooled connection that the server closes meanwhile turns an unsent request into an unknown one: no pool.
    keepAlive: false,
  };
  return {
    httpAgent: new RequestFilteringHttpAgent(rules),
    httpsAgent: new RequestFilteringHttpsAgent(rules),
  };
}

/** The agents' refusals carry no code; their words are pinned by a test. */
export function isRefusedAddress(error: unknown): boolean {
  return error instanceof Error && /is not allowed\. Because,? It is/i.test(error.message);
}
