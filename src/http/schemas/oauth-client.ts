/** An OAuth client of a component, as elastic.io's API has it (seed 002), but that its secret is write-only (C14). */
import { z } from 'zod';
import { id, resource, text, time, warningsMeta } from './document';
import { confidential } from './integration';

const attributes = z.strictObject({ client_id: text(1024), client_secret: confidential });
const relationships = z.object({
  component: z.object({ data: z.object({ type: z.literal('component'), id: text(64) }) }),
});

/** `flow` is what one table of the seed says: taken, answered as `oauth-client`, and said (C1). */
export const createOAuthClient = z.object({
  data: z.object({ type: z.enum(['oauth-client', 'flow']), id: id.optional(), attributes, relationships }),
});
/** All five members again, as the seed demands (C18, C21). */
export const changeOAuthClient = z.object({
  data: z.object({ type: z.literal('oauth-client'), id: z.string().optional(), attributes, relationships }),
});

export const oauthClient = resource(
  'oauth-client',
  z.object({
    client_id: z.string(),
    client_secret_set_at: time.nullable(),
    /** First 8 hex digits of an HMAC under a key of the server: tells which secret is stored. */
    client_secret_fingerprint: z.string().nullable(),
    /** The component's endpoints moved to another origin; sending the secret again confirms that. */
    suspended_at: time.nullable(),
    created_at: time,
    updated_at: time,
  }),
);

export const oauthClientDocument = z.object({ data: oauthClient, meta: warningsMeta.optional() });
/** The whole list: elastic.io pages this collection no more than we do. */
export const oauthClientList = z.object({ data: z.array(oauthClient), meta: warningsMeta });
export const savingOAuthClient = z.object({
  meta: z.object({ status: z.literal('saving'), oauth_client: z.string() }),
});
export const oauthClientQuery = z.strictObject({ 'filter[component]': z.string().optional() });
export type OAuthClientDocument = z.output<typeof createOAuthClient>;
