/** The log: page by page, of one connection, and as a stream. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { settings } from '../support/settings';
import { PIZZA } from './component-files';
import { make } from './support-access';
import { call, seedConnection, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/events';
const eventStream = { pollMs: 20, heartbeatMs: 60, recheckMs: 100 };
let t: TestApp;
let auth: string;
let url: string;

beforeAll(async () => {
  t = await startTestApp({}, { eventStream });
  auth = await t.bearer('acme', 'tenants.*');
  await t.bearer('other', 'tenants.*');
  await t.app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(t.app.server.address() as AddressInfo).port}`;
});
afterAll(() => t.stop());

const append = (type: string, connection: string | null = null, tenant = 'acme'): Promise<void> =>
  t.registry.events.append(tenant, connection, { type, by: 'ann@acme.test', traceId: 'tr_1', facts: { n: 1 } });
const newest = async (tenant = 'acme'): Promise<string> => (await t.registry.events.newestSettled(tenant)) ?? '';
const read = async (path: string) => (await call(t, 'GET', path, { auth })).json();
const typesIn = ({ data }: { data: { attributes: { event_type: string } }[] }): string[] =>
  data.map(({ attributes }) => attributes.event_type);

interface Page {
  readonly data: readonly { readonly attributes: { readonly facts: { readonly n: number } } }[];
  readonly links: { readonly next: string | null };
}

describe('the log', () => {
  it('is read page by page, newest last, by type and by connection', async () => {
    const before = await newest();
    for (const [type, connection] of [
      ['a.done', null],
      ['b.done', 'cn_1'],
      ['a.done', 'cn_2'],
      ['c.done', 'cn_1'],
    ] as const) {
      await append(type, connection);
    }
    const first = await read(`${PATH}?page[size]=3&page[after]=${before}`);
    const second = await read(first.links.next);
    expect([...typesIn(first), ...typesIn(second)]).toEqual(['a.done', 'b.done', 'a.done', 'c.done']);
    expect(second.links.next).toBeNull();
    expect(first.data[1]).toEqual({
      type: 'event',
      id: expect.stringMatching(/^ev_/),
      attributes: {
        event_type: 'b.done',
        at: expect.any(String),
        by: 'ann@acme.test',
        trace_id: 'tr_1',
        facts: { n: 1 },
      },
      relationships: {
        connection: {
          links: { related: '/v2/tenants/acme/connections/cn_1' },
          data: { type: 'connection', id: 'cn_1' },
        },
      },
    });
    expect(typesIn(await read(`${PATH}?filter[type]=a.done`))).toEqual(['a.done', 'a.done']);
    expect(typesIn(await read(`${PATH}?filter[connection]=cn_1`))).toEqual(['b.done', 'c.done']);
    expect(typesIn(await read('/v2/tenants/acme/connections/cn_1/events'))).toEqual(['b.done', 'c.done']);
    expect(typesIn(await read('/v2/tenants/acme/connections/cn_1/events?filter[type]=c.done'))).toEqual(['c.done']);
    expect((await call(t, 'GET', '/v2/tenants/acme/connections/cn_none/events', { auth })).statusCode).toBe(404);
  });

  it.each([
    ['of the tenant', 'cn_s1', `${PATH}?filter[type]=cn_s1.told&`],
    ['of a connection', 'cn_s2', '/v2/tenants/acme/connections/cn_s2/events?'],
  ])('%s is read to its end in both directions', async (_of, connection, path) => {
    for (const n of [1, 2, 3, 4, 5]) {
      const told = { type: `${connection}.told`, by: 'ann@acme.test', traceId: 'tr_1', facts: { n } };
      await t.registry.events.append('acme', connection, told);
    }
    const pages = async (sort: string): Promise<number[][]> => {
      const found: number[][] = [];
      let next: string | null = `${path}page[size]=2${sort}`;
      while (next !== null) {
        const page: Page = await read(next);
        found.push(page.data.map(({ attributes }) => attributes.facts.n));
        next = page.links.next;
      }
      return found;
    };
    const oldestFirst = [[1, 2], [3, 4], [5]];
    expect([await pages(''), await pages('&sort=at')]).toEqual([oldestFirst, oldestFirst]);
    expect(await pages('&sort=-at')).toEqual([[5, 4], [3, 2], [1]]);
  });

  it.each(['', 'id', '-id', '+at', 'at,-at', 'at&sort=-at'])(
    'is sorted by nothing else: sort=%s is 400',
    async (sort) => {
      for (const path of [PATH, '/v2/tenants/acme/connections/cn_s2/events']) {
        const answer = await call(t, 'GET', `${path}?sort=${sort}`, { auth });
        const [{ code, source }] = answer.json().errors;
        expect([answer.statusCode, code, source]).toEqual([400, 'SYNTAX_INVALID', { parameter: 'sort' }]);
      }
    },
  );

  it('shows nothing of another tenant, whatever is asked', async () => {
    await append('secret.done', 'cn_theirs', 'other');
    const [theirs] = await t.registry.events.list('other', 'cn_theirs', { size: 1 });
    for (const query of ['filter[connection]=cn_theirs', 'filter[type]=secret.done', `page[after]=${theirs?.id}`]) {
      expect((await read(`${PATH}?${query}`)).data).toEqual([]);
    }
  });

  it('cannot be edited: no route offers it, and the table refuses', async () => {
    const writing = t.routes.filter(({ url: path, method }) => path.endsWith('/events') && !/GET|HEAD/.test(method));
    expect(writing).toEqual([]);
    const client = new Client({ connectionString: t.databaseUrl });
    await client.connect();
    try {
      for (const statement of [`UPDATE connection_events SET by = 'nobody'`, 'DELETE FROM connection_events']) {
        await expect(client.query(statement)).rejects.toThrow('append-only');
      }
    } finally {
      await client.end();
    }
  });

  it('says why a component, a flow, a provider or a connection was changed, where the writer said it', async () => {
    const acme = '/v2/tenants/acme';
    const because = async (method: 'POST' | 'PATCH' | 'DELETE', path: string, type?: string, attributes?: object) => {
      const body = type === undefined ? undefined : { data: { type, attributes } };
      const answer = await call(t, method, acme + path, { auth, body, headers: { 'audit-reason': 'ticket 7' } });
      expect([method, path, answer.statusCode < 300]).toEqual([method, path, true]);
      return answer.body && answer.json().data.id;
    };
    const at = { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test' };
    await seedConnection(t.registry, { tenant: 'acme', integration: 'told', settings: settings(at) }, 'cn_told');
    const file = { ...PIZZA, useOAuthClient: undefined, credentials: {} };
    const [kept, old] = [
      await make(t, auth, `${acme}/components`, { type: 'component', attributes: { file } }),
      await make(t, auth, `${acme}/flows`, { type: 'flow', attributes: { name: 'Orders' } }),
    ];
    const components = { data: [{ type: 'component', id: kept.id }] };
    const data = { type: 'flow', attributes: {}, relationships: { components } };
    expect((await call(t, 'PATCH', `${acme}/flows/${old.id}`, { auth, body: { data } })).statusCode).toBe(200);

    await because('DELETE', `/flows/${old.id}/versions/1`);
    const flow = await because('POST', '/flows', 'flow', { name: 'Stock' });
    await because('PATCH', `/flows/${flow}`, 'flow', { name: 'Stocks' });
    await because('DELETE', `/flows/${flow}`);
    const component = await because('POST', '/components', 'component', { file });
    await because('POST', `/components/${component}/versions`, 'component', { file });
    await because('PATCH', `/components/${component}/env-vars`, 'env-vars', { PIZZAVAN_KEY: 'a' });
    await because('PATCH', `/components/${component}`, 'component', { access: 'global' });
    await because('DELETE', `/components/${component}`);
    const token_url = 'https://pizza.test/token';
    const provider = await because('POST', '/providers', 'provider', { title: 'Pizzavan', token_url });
    await because('PATCH', `/providers/${provider}`, 'provider', { title: 'Pizza' });
    await because('DELETE', `/providers/${provider}`);
    await because('PATCH', '/connections/cn_told', 'connection', { region: 'eu' });
    const rows = await t.registry.events.list('acme', undefined, { size: 100 });
    expect(rows.filter(({ facts }) => facts?.['audit_reason'] === 'ticket 7').map(({ type }) => type)).toEqual([
      'flow.version_removed',
      'flow.created',
      'flow.changed',
      'flow.removed',
      'component.created',
      'component.version_added',
      'component.env_changed',
      'component.access_changed',
      'component.removed',
      'provider.created',
      'provider.changed',
      'provider.removed',
      'connection.changed',
    ]);
  });

  it.each(['\n', 'x'.repeat(501), '\xff\xfe'])('takes no reason like %j', async (reason) => {
    const answer = await call(t, 'PATCH', '/v2/tenants/acme', {
      auth,
      body: { data: { type: 'tenant', attributes: { name: 'Acme' } } },
      headers: { 'audit-reason': reason },
    });
    expect([answer.statusCode, answer.json().errors[0].source]).toEqual([400, { header: 'audit-reason' }]);
  });
});

interface Heard {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly attributes: { readonly event_type: string } };
}

/** A listener on a real socket. */
class Ear {
  readonly heard: Heard[] = [];
  beats = 0;
  /** Who ended it. */
  readonly ended: Promise<string>;
  readonly #stop: AbortController;

  static async open(header: string, more: Record<string, string> = {}, query = ''): Promise<Ear> {
    const stop = new AbortController();
    const headers = { accept: 'text/event-stream', authorization: header, ...more };
    const answer = await fetch(`${url}${PATH}${query}`, { headers, signal: stop.signal });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    return new Ear(answer, stop);
  }

  private constructor(answer: Response, stop: AbortController) {
    this.#stop = stop;
    this.ended = this.#listen(answer).then(
      () => 'by the server',
      (error: unknown) => (stop.signal.aborted ? 'by us' : String(error)),
    );
  }

  async #listen(answer: Response): Promise<void> {
    let rest = '';
    for await (const chunk of answer.body ?? []) {
      const blocks = `${rest}${Buffer.from(chunk).toString()}`.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    if (block.startsWith(':')) return void (this.beats += 1);
    const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
    this.heard.push({ ...fields, data: JSON.parse(fields.data) });
  }

  async until(done: (ear: Ear) => boolean): Promise<void> {
    while (!done(this)) await delay(5);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    expect(await this.ended).toBe('by us');
  }
}

const types = ({ heard }: Ear): string[] => heard.map(({ event }) => event);

describe('the stream', () => {
  it('tells what is new to everybody who listens, and beats when nothing is', async () => {
    await append('old.done');
    const [one, two] = [await Ear.open(auth), await Ear.open(auth)];
    // Longer than its right goes unexamined.
    await one.until(({ beats }) => beats > 5);
    await append('new.done', 'cn_1');
    await append('newer.done');
    for (const ear of [one, two]) {
      await ear.until(({ heard }) => heard.length === 2);
      expect(types(ear)).toEqual(['new.done', 'newer.done']);
      const [first] = await t.registry.events.list('acme', undefined, { size: 1 }, { type: 'new.done' });
      expect(ear.heard[0]).toMatchObject({ id: first?.id, data: { type: 'event', id: first?.id } });
      await ear.close();
    }
  });

  it('goes on behind the event that was heard last, and misses nothing', async () => {
    const last = await newest();
    for (let missed = 0; missed < 250; missed++) await append(`missed.n${missed}`);
    const ear = await Ear.open(auth, { 'last-event-id': last });
    await ear.until(({ heard }) => heard.length === 250);
    expect(types(ear)).toEqual(Array.from({ length: 250 }, (_, missed) => `missed.n${missed}`));
    await ear.close();
    const later = await Ear.open(auth, { 'last-event-id': ear.heard.at(-1)?.id ?? '' });
    await append('after.all');
    await later.until(({ heard }) => heard.length === 1);
    expect(types(later)).toEqual(['after.all']);
    await later.close();
  });

  it('filters', async () => {
    const ear = await Ear.open(auth, {}, '?filter[type]=b.kept&filter[connection]=cn_1');
    for (const [type, connection] of [
      ['a.done', 'cn_1'],
      ['b.kept', 'cn_2'],
      ['b.kept', 'cn_1'],
    ] as const) {
      await append(type, connection);
    }
    await ear.until(({ heard }) => heard.length > 0);
    expect(ear.heard).toEqual([expect.objectContaining({ event: 'b.kept' })]);
    await ear.close();
  });

  it('is in the order of the log alone', async () => {
    const headers = { accept: 'text/event-stream' };
    const answer = await call(t, 'GET', `${PATH}?sort=-at`, { auth, headers });
    expect([answer.statusCode, answer.json().errors[0].source]).toEqual([400, { parameter: 'sort' }]);
    await (await Ear.open(auth, {}, '?sort=at')).close();
  });

  it.each(['ev_unknown', 'not an id', 'ev_\u00e4'])('refuses to go on behind %j, which it never told', async (id) => {
    const headers = { accept: 'text/event-stream', 'last-event-id': id };
    const answer = await call(t, 'GET', PATH, { auth, headers });
    expect([answer.statusCode, answer.json().errors[0].source]).toEqual([400, { header: 'last-event-id' }]);
  });

  it('does not go on behind an event of another tenant', async () => {
    const headers = { accept: 'text/event-stream', 'last-event-id': await newest('other') };
    expect((await call(t, 'GET', PATH, { auth, headers })).statusCode).toBe(400);
  });

  it.each([
    ['the key is revoked', (who: Who) => t.registry.apiKeys.revoke('acme', who.id, who.prefix, event)],
    ['the principal is removed', (who: Who) => t.registry.principals.remove('acme', who.id, event)],
    [
      'the role is taken',
      async (who: Who) => {
        const [grant] = await t.registry.roleGrants.ofPrincipal('acme', who.id);
        await t.registry.roleGrants.remove('acme', grant?.id ?? '', event);
      },
    ],
    [
      'the right cannot be looked at',
      async () => {
        jest.spyOn(t.registry.apiKeys, 'find').mockRejectedValueOnce(new Error('the registry is away'));
      },
    ],
  ])('ends when %s', async (_when, lose) => {
    const who = await listener();
    const ear = await Ear.open(who.auth);
    await ear.until(({ beats }) => beats > 0);
    await lose(who);
    await expect(ear.ended).resolves.toBe('by the server');
  });

  it('survives a registry that is away between two looks', async () => {
    const ear = await Ear.open(auth);
    await ear.until(({ beats }) => beats > 0);
    const read = jest.spyOn(t.registry.events, 'settledAfter').mockRejectedValueOnce(new Error('away'));
    await ear.until(() => read.mock.calls.length > 1);
    read.mockRestore();
    await append('back.again');
    await ear.until(({ heard }) => heard.length === 1);
    expect(types(ear)).toEqual(['back.again']);
    await ear.close();
  });

  it('is one of 20 that a key may have open: the next is refused until one has closed, other keys are not', async () => {
    const [greedy, modest] = [await t.bearer('acme', 'tenants.*'), await t.bearer('acme', 'tenants.*')];
    const ears: Ear[] = [];
    while (ears.length < 20) ears.push(await Ear.open(greedy));
    const headers = { accept: 'text/event-stream' };
    const refused = await call(t, 'GET', PATH, { auth: greedy, headers });
    const [error] = refused.json().errors;
    expect([refused.statusCode, error.code, refused.headers['retry-after']]).toEqual([429, 'TOO_MANY_REQUESTS', '15']);
    expect(error.detail).toMatch(/20 event streams/);
    // A page is no stream.
    expect((await call(t, 'GET', PATH, { auth: greedy })).statusCode).toBe(200);
    await (await Ear.open(modest)).close();
    await ears.pop()?.close();
    let again: Response;
    do {
      const stop = new AbortController();
      again = await fetch(`${url}${PATH}`, { headers: { ...headers, authorization: greedy }, signal: stop.signal });
      stop.abort();
    } while (again.status !== 200);
    for (const ear of ears) await ear.close();
  });

  it('ends when the server closes', async () => {
    const ear = await Ear.open(auth);
    await ear.until(({ beats }) => beats > 0);
    await t.app.close();
    await expect(ear.ended).resolves.toBe('by the server');
  });
});

interface Who {
  readonly id: string;
  readonly prefix: string;
  readonly auth: string;
}

const event = { type: 'right.lost', by: 'test', traceId: 'test' };
let made = 0;

/** Somebody who may listen, for now. */
async function listener(): Promise<Who> {
  const email = `listener-${++made}@acme.test`;
  const header = await t.bearerOf({ tenant: 'acme', email, roles: ['finance'] });
  const { id } = await t.registry.principals.ensure('acme', email);
  return { id, prefix: /do_(\w{12})_/.exec(header)?.[1] ?? '', auth: header };
}
