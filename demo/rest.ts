/** The demo talks to the platform as everybody does: over REST. */
import axios from 'axios';
import type { DevKey } from '../src/cli/dev/supervisor';

export interface Seen {
  readonly id: string;
  readonly state: string;
  readonly reason?: string;
  readonly generation: number;
  readonly expiresAt: string | null;
  readonly text: string;
}

interface Resource {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly relationships?: { readonly connections?: { readonly data?: readonly { readonly id: string }[] } };
}

export class Rest {
  readonly tenant: string;
  readonly #access: DevKey;

  constructor(access: DevKey) {
    this.#access = access;
    this.tenant = access.tenant;
  }

  /** @returns the id of the integration's connection */
  async save(attributes: Readonly<Record<string, unknown>>): Promise<string> {
    const { data } = await this.#call<{ data: Resource }>('POST', 'integrations', {
      data: { type: 'integration', attributes },
    });
    const id = data.relationships?.connections?.data?.[0]?.id;
    if (id === undefined) throw new Error('the saved integration names no connection');
    return id;
  }

  /** @returns the id of a new resource, for example a component */
  async create(
    collection: string,
    resource: { readonly type: string } & Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const { data } = await this.#call<{ data?: Resource }>('POST', collection, { data: resource });
    if (data === undefined) throw new Error(`${resource.type} is still being saved`);
    return data.id;
  }

  async integrations(): Promise<readonly Resource[]> {
    return (await this.#call<{ data: readonly Resource[] }>('GET', 'integrations?page[size]=100')).data;
  }

  async connections(): Promise<readonly Seen[]> {
    const { data } = await this.#call<{ data: readonly Resource[] }>('GET', 'connections?page[size]=100');
    return data.map(toSeen);
  }

  async connection(id: string): Promise<Seen> {
    return toSeen((await this.#call<{ data: Resource }>('GET', `connections/${id}`)).data);
  }

  async consentLink(id: string): Promise<string> {
    const { data } = await this.#call<{ data: Resource }>('POST', `connections/${id}/consent-links`, {
      data: { type: 'consent-link' },
    });
    return String(data.attributes['url']);
  }

  /** Has the reader look at the token; the token itself is not kept. */
  async useToken(id: string): Promise<void> {
    await this.#call('GET', `connections/${id}/access-token`);
  }

  async revoke(id: string): Promise<Readonly<Record<string, unknown>>> {
    const { data } = await this.#call<{ data: Resource }>('POST', `connections/${id}/revocations`, {
      data: { type: 'revocation', attributes: { reason: 'the demo is over' } },
    });
    return data.attributes;
  }

  async #call<T>(method: 'GET' | 'POST', path: string, data?: unknown): Promise<T> {
    const { url, email, key } = this.#access;
    const answer = await axios.request<T & { errors?: readonly { code?: string; title?: string; detail?: string }[] }>({
      method,
      url: `${url}/v2/tenants/${this.tenant}/${path}`,
      data,
      auth: { username: email, password: key },
      validateStatus: () => true,
      timeout: 60_000,
      proxy: false,
    });
    if (answer.status < 400) return answer.data;
    const problem = answer.data.errors?.[0];
    throw new Error(
      `${method} ${path} answered ${answer.status} ${problem?.code ?? ''}: ${problem?.title ?? ''} ${problem?.detail ?? ''}`,
    );
  }
}

function toSeen({ id, attributes: a }: Resource): Seen {
  const text = (name: string): string => (typeof a[name] === 'string' ? a[name] : '');
  return {
    id,
    state: text('state'),
    reason: text('reason') || undefined,
    generation: Number(a['generation'] ?? 0),
    expiresAt: text('expires_at') || null,
    text: text('text'),
  };
}
