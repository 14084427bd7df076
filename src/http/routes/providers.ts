/** `/v2/tenants/{T}/providers`: the shipped presets, to be read, and the tenant's own, which are used in the same way. */
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { idFrom, isOwnProvider } from '../../connection/ids';
import { DurableOAuthError, isDurableOAuthError } from '../../errors';
import type { Preset } from '../../providers/preset';
import { findPreset } from '../../providers/resolve';
import type { Page } from '../../registry/contract';
import type { ProviderRow } from '../../registry/contract-providers';
import { auditEvent } from '../access/audit';
import { demand } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { requireMatch } from '../etag';
import { isMoved, toOwnPreset } from '../integrations/own-provider';
import { readPage } from '../paging';
import { presetNamed } from '../integrations/presets';
import { ProblemError } from '../problem';
import { toProvider } from '../integrations/provider-resources';
import { expectSameId } from '../same-id';
import { noContent, resourcePath, tenantPath } from '../schemas/document';
import { changeProvider, createProvider, providerDocument, providerList, providerQuery } from '../schemas/provider';
import { providerPath } from '../paths';

type Resource = z.output<typeof providerDocument>['data'];

const PATH = '/tenants/:tenant/providers';

export function providerRoutes(app: App, deps: AppDeps): void {
  const { registry, catalogue, config } = deps;

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.providers.get' },
    schema: { params: tenantPath, querystring: providerQuery, response: { 200: providerList } },
    handler: async ({ params: { tenant }, query }) => {
      const { rows, links } = await readPage(`/v2/tenants/${tenant}/providers`, query, (page) =>
        providersOf(deps, tenant, page),
      );
      return { data: [...rows], links, meta: {} };
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.providers.get', conditional: true },
    schema: { params: resourcePath, response: { 200: providerDocument } },
    handler: async ({ params: { tenant, id } }) => {
      if (isOwnProvider(id)) return { data: shown(deps, await ownProvider(deps, tenant, id)) };
      const preset = catalogue.get(id);
      if (preset === undefined) throw new DurableOAuthError('NOT_FOUND');
      return { data: toProvider(tenant, preset, config) };
    },
  });

  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.providers.create', missingAttribute: 422 },
    schema: { params: tenantPath, body: createProvider, response: { 201: providerDocument } },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const { id = idFrom('pv', randomBytes(17)), attributes } = request.body.data;
      if (!isOwnProvider(id)) throw refused('/data/id', 'Must begin with pv_');
      const { base = null, ...given } = attributes;
      const before = base === null ? {} : await presetNamed(deps, tenant, base);
      if (before === undefined) throw refused('/data/attributes/base', 'There is no such provider');
      const preset = toOwnPreset(id, given, before, config);
      const event = auditEvent(request, 'provider.created', { provider: id, base });
      await registry.providers.create({ tenant, id, base, preset, event });
      reply.code(201).header('location', providerPath(tenant, id));
      return { data: shown(deps, await ownProvider(deps, tenant, id)) };
    },
  });

  app.route({
    method: 'PATCH',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.providers.edit', besides: ['tenants.integrations.edit_endpoints'] },
    schema: { params: resourcePath, body: changeProvider, response: { 200: providerDocument } },
    handler: async (request) => {
      const { tenant, id } = request.params;
      const { attributes } = request.body.data;
      expectSameId(request.body, id);
      refuseShipped(deps, id);
      for (;;) {
        const row = await ownProvider(deps, tenant, id);
        const from = row.preset;
        const before = findPreset(catalogue, id, row);
        // One that no GET can show any more is known to nobody, and can still be put right.
        requireMatch(request, before ? toProvider(tenant, before, config, row) : {});
        const to = toOwnPreset(id, attributes, before ?? {}, config);
        const keep = isMoved(from, to) && (await registry.providers.use(tenant, id)).length > 0;
        if (keep) demand(request, 'tenants.integrations.edit_endpoints');
        const facts = { provider: id, members: Object.keys(attributes) };
        const event = auditEvent(request, 'provider.changed', facts);
        // Somebody else was faster: judged again, on what is there now.
        if (!(await registry.providers.change(tenant, id, { from, to, event }))) continue;
        return { data: shown(deps, await ownProvider(deps, tenant, id)), ...(keep && { meta: KEEP }) };
      }
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.providers.delete' },
    schema: { params: resourcePath, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      refuseShipped(deps, id);
      const event = auditEvent(request, 'provider.removed', { provider: id });
      try {
        await registry.providers.remove(tenant, id, event);
      } catch (error) {
        if (!isDurableOAuthError(error, 'IN_USE')) throw error;
        const integrations = [...(await registry.providers.use(tenant, id))];
        const detail = `Integrations use it: ${integrations.map(({ label }) => label).join(', ')}`;
        throw new ProblemError([{ code: 'IN_USE', detail, meta: { integrations } }]);
      }
      return reply.code(204).send(null);
    },
  });
}

const KEEP = {
  warnings: [
    {
      code: 'INTEGRATIONS_KEEP_ENDPOINTS',
      detail:
        'Integrations keep the endpoints they were saved with, and a secret is sent only to the origins it was entered for; ' +
        'new integrations use the new ones',
    },
  ],
};

/** Shipped ones first, so that the order is the same whatever the collation of the database. */
async function providersOf(deps: AppDeps, tenant: string, { size, after }: Page): Promise<Resource[]> {
  const passed = after !== undefined && isOwnProvider(after);
  const shipped = [...deps.catalogue.values()]
    .filter(({ name }) => !passed && (after === undefined || name > after))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, size)
    .map((preset) => toProvider(tenant, preset, deps.config));
  const page = { size: size - shipped.length, after: passed ? after : undefined };
  const own = page.size === 0 ? [] : await deps.registry.providers.list(tenant, page);
  return [...shipped, ...own.map((row) => shown(deps, row))];
}

async function ownProvider({ registry }: AppDeps, tenant: string, id: string): Promise<ProviderRow> {
  const row = await registry.providers.get(tenant, id);
  if (row === undefined) throw new DurableOAuthError('NOT_FOUND');
  return row;
}

function shown({ catalogue, config }: AppDeps, row: ProviderRow): Resource {
  const preset: Preset | undefined = findPreset(catalogue, row.id, row);
  if (preset === undefined) throw new DurableOAuthError('INTERNAL', undefined, { provider: row.id });
  return toProvider(row.tenant, preset, config, row);
}

/** @throws FORBIDDEN for a shipped one, NOT_FOUND for what no provider is called */
function refuseShipped({ catalogue }: AppDeps, id: string): void {
  if (isOwnProvider(id)) return;
  if (catalogue.has(id)) throw new DurableOAuthError('FORBIDDEN', 'A shipped provider is read-only', { provider: id });
  throw new DurableOAuthError('NOT_FOUND');
}

const refused = (pointer: string, detail: string): ProblemError =>
  new ProblemError([{ code: 'MEMBER_INVALID', detail, pointer }]);
