/** Which URLs may be endpoints. What a person sees of a blocked one never tells why: it would map the network. */
import type http from 'node:http';
import { isIP } from 'node:net';
import { OAuthFailure } from './failure';
import { createGuardedAgents, isRefusedAddress, type GuardOptions } from './guarded-agents';

export type EndpointFault = 'not_absolute' | 'not_https' | 'has_credentials' | 'has_fragment' | 'port_not_allowed';

const CONNECT_DEADLINE_MS = 5_000;

/** @returns what is wrong with the text as an endpoint, or undefined; touches no network */
export function checkEndpointSyntax(text: string, { allowPrivateNetworks }: GuardOptions): EndpointFault | undefined {
  if (!/^https?:\/\/[^\s\p{Cc}\\]+$/iu.test(text) || !URL.canParse(text)) return 'not_absolute';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowPrivateNetworks && isLoopback(url.hostname))) return 'not_https';
  if (url.username !== '' || url.password !== '' || /^[^/]+\/\/[^/?#]*@/.test(text)) return 'has_credentials';
  if (text.includes('#')) return 'has_fragment';
  // Below 1024 live mail, files and logins; a TLS handshake with them is a probe.
  const port = Number(url.port || 443);
  return allowPrivateNetworks || port === 443 || port >= 1024 ? undefined : 'port_not_allowed';
}

/**
 * Connect to an endpoint as a request would, and hang up: its name resolves, every address is allowed, and with https its
 * certificate is valid (C8). At most 5 s; nothing is sent.
 * @throws OAuthFailure: BLOCKED, or TRANSIENT when there is no connection
 */
export async function resolveEndpoint(url: string, options: GuardOptions): Promise<void> {
  if (checkEndpointSyntax(url, options) !== undefined) throw blocked();
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'https:';
  const { httpAgent, httpsAgent } = createGuardedAgents(options);
  const agent: http.Agent = secure ? httpsAgent : httpAgent;
  await new Promise<void>((resolve, reject) => {
    const fail = (error?: unknown): void => {
      clearTimeout(timer);
      reject(isRefusedAddress(error) ? blocked() : unreachable());
    };
    const timer = setTimeout(() => {
      fail();
      socket?.destroy();
    }, CONNECT_DEADLINE_MS);
    const target = { host, port: Number(port) || (secure ? 443 : 80), servername: isIP(host) === 0 ? host : undefined };
    const socket = agent.createConnection(target, (error) => {
      if (error) fail(error);
    });
    socket?.once('error', fail).once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
  });
}

const attempted = 'Checking an endpoint';
const blocked = (): OAuthFailure =>
  new OAuthFailure(attempted, { class: 'BLOCKED', code: 'ENDPOINT_BLOCKED', sent: false });
const unreachable = (): OAuthFailure =>
  new OAuthFailure(attempted, { class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', sent: false });

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
