/** Tokens that another program refreshed so far: one template, and an entry for each account. */
import { z } from 'zod';
import { id, input, resource, text } from './document';
import { confidential, integrationAttributes } from './integration';

const MOST = 100;

/** What belongs to one account is in its entry. */
const template = integrationAttributes.omit({
  grant_type: true,
  refresh_token: true,
  tenant_id: true,
  region: true,
  account_role: true,
  owner: true,
});

const entry = z.strictObject({
  id: id.describe('Id of the integration to be: a repeated import leaves alone what is there'),
  label: text(120).optional(),
  refresh_token: confidential,
  ...integrationAttributes.pick({ tenant_id: true, region: true, account_role: true, owner: true }).shape,
});

export const importConnections = input(
  'import',
  z.strictObject({
    old_refresher_stopped: z.boolean().default(false),
    dry_run: z.boolean().default(false),
    pace_seconds: z.number().int().min(1).max(60).default(1).describe('Between two token requests'),
    template,
    entries: z.array(entry).min(1).max(MOST),
  }),
);
export type ImportAttributes = z.output<typeof importConnections>['data']['attributes'];

/** `exists`: an earlier import saved it, also one that was deleted since; `not_started`: nothing was sent, import it again. */
export const IMPORT_STATUSES = ['checked', 'exists', 'saved', 'saving', 'not_started'] as const;

export const importDocument = z.object({
  data: resource(
    'import',
    z.object({
      dry_run: z.boolean(),
      entries: z.array(
        z.object({
          pointer: z.string(),
          integration: z.string(),
          status: z.enum(IMPORT_STATUSES),
          connection: z.string().optional(),
          location: z.string().describe('Where the outcome is read'),
        }),
      ),
    }),
  ),
});
