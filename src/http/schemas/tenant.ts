/** A tenant: people choose its id, and it is part of every path. */
import { z } from 'zod';
import { id, input, list, page, resource, text, time } from './document';

const attributes = z.strictObject({ name: text(120) });

export const createTenant = z.object({ data: z.object({ type: z.literal('tenant'), id, attributes }) });
export const changeTenant = input('tenant', attributes);

export const tenant = resource('tenant', z.object({ name: z.string(), created_at: time }));
export const tenantDocument = z.object({ data: tenant });
export const tenantList = list(tenant);
export const tenantQuery = z.strictObject(page);
