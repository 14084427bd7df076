/**
 * `GET /v2/tenants/{T}/events`: the log of the tenant, page by page, or with `Accept: text/event-stream` what is new in it.
 * `…/connections/{id}/events`: the log of one connection. Nothing changes or removes an event.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { isId } from '../../connection/ids';
import { DurableOAuthError } from '../../errors';
import { toEvent } from '../access/access-resources';
import { admit } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { createEventStreams } from '../event-stream';
import { readPage, warningsAbout } from '../paging';
import { ProblemError } from '../problem';
import { limitStreams } from '../rate-limit';
import { resourcePath, tenantPath } from '../schemas/document';
import { connectionEventQuery, eventList, eventQuery } from '../schemas/event';

const STREAM = 'text/event-stream';
const NEWEST_FIRST = '-at';
const UNSORTED = {
  code: 'SYNTAX_INVALID',
  detail: 'A stream tells events in the order of the log',
  parameter: 'sort',
} as const;

export function eventRoutes(app: App, { registry, eventStream = {} }: AppDeps): void {
  const { events, connections } = registry;
  const countStream = limitStreams();
  const closing = new AbortController();
  const listen = createEventStreams(events, eventStream, closing.signal);
  app.addHook('preClose', async () => closing.abort());

  app.route({
    method: 'GET',
    url: '/tenants/:tenant/events',
    exposeHeadRoute: false,
    config: { permission: 'tenants.events.get' },
    schema: { params: tenantPath, querystring: eventQuery, response: { 200: eventList } },
    handler: async (request, reply) => {
      const { params, query } = request;
      const filter = { connection: query['filter[connection]'] || undefined, type: query['filter[type]'] || undefined };
      const newestFirst = query.sort === NEWEST_FIRST;
      if (asksForStream(request)) {
        if (newestFirst) throw new ProblemError([UNSORTED]);
        return stream(request, reply, params.tenant, filter);
      }
      const { rows, links } = await readPage(`/v2/tenants/${params.tenant}/events`, query, (page) =>
        events.list(params.tenant, filter.connection, page, { type: filter.type, newestFirst }),
      );
      return { data: rows.map((row) => toEvent(params.tenant, row)), links, meta: warningsAbout(query) };
    },
  });

  app.route({
    method: 'GET',
    url: '/tenants/:tenant/connections/:id/events',
    config: { permission: 'tenants.events.get' },
    schema: { params: resourcePath, querystring: connectionEventQuery, response: { 200: eventList } },
    handler: async ({ params: { tenant, id }, query }) => {
      const type = query['filter[type]'] || undefined;
      const { rows, links } = await readPage(`/v2/tenants/${tenant}/connections/${id}/events`, query, (page) =>
        events.list(tenant, id, page, { type, newestFirst: query.sort === NEWEST_FIRST }),
      );
      // Events outlive their connection: either is enough.
      const known = rows.length > 0 || (await connections.get({ tenant, connection: id })) !== undefined;
      if (!known) throw new DurableOAuthError('NOT_FOUND');
      return { data: rows.map((row) => toEvent(tenant, row)), links, meta: warningsAbout(query) };
    },
  });

  async function stream(
    request: FastifyRequest,
    reply: FastifyReply,
    tenant: string,
    filter: { readonly connection: string | undefined; readonly type: string | undefined },
  ): Promise<never> {
    countStream(request, reply);
    const after = await heardLast(request, tenant);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const lines = listen({
      tenant,
      after,
      wants: ({ connection, type }) =>
        (filter.connection ?? connection) === connection && (filter.type ?? type) === type,
      show: (event) => toEvent(tenant, event),
      mayListen: async () => admit(registry, request).then(Boolean, () => false),
      gone: gone.signal,
    });
    // The connection ends with the stream, or it would keep a server that closes waiting.
    reply.type(STREAM).header('connection', 'close');
    return reply.send(Readable.from(lines)) as never;
  }

  /** @throws SYNTAX_INVALID for an id that is none of the tenant's: what was missed since would be lost in silence */
  async function heardLast({ headers }: FastifyRequest, tenant: string): Promise<string | undefined> {
    const id = headers['last-event-id'];
    if (id === undefined || id === '') return events.newestSettled(tenant);
    if (isId(id) && (await events.get(tenant, id)) !== undefined) return id;
    throw new ProblemError([{ code: 'SYNTAX_INVALID', detail: 'No event has this id', header: 'last-event-id' }]);
  }
}

const asksForStream = ({ headers }: FastifyRequest): boolean =>
  (headers.accept ?? '').split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === STREAM);
