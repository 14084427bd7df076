/** A component as it is uploaded and shown. No answer names a client secret, or a client id that stands in the file. */
import { z } from 'zod';
import { input, list, page, printable, resource, text, time } from './document';

const accessKind = z
  .enum(['tenant', 'team', 'global'])
  .describe('team says whose it is, and keeps it from nobody: who may read components of the tenant sees it');
const team = text(120).optional();
/** As an object, or as the text of the file, which is then kept to the byte. */
const file = z.union([z.string(), z.record(z.string(), z.unknown())]);

interface Access {
  readonly access: z.output<typeof accessKind>;
  readonly team?: string | undefined;
}

/** A team is named exactly when it is the team that has access. */
const whole = <A extends z.ZodType<Access>>(attributes: A): A =>
  attributes
    .refine(({ access, team }) => access !== 'team' || team !== undefined, { path: ['team'] })
    .refine(({ access, team }) => access === 'team' || team === undefined, {
      path: ['team'],
      message: 'Only access "team" names a team',
    });

export const uploadComponent = input(
  'component',
  whole(z.strictObject({ file, access: accessKind.default('tenant'), team })),
);
export const changeComponent = input('component', whole(z.strictObject({ access: accessKind, team })));
export const uploadVersion = input('component', z.strictObject({ file }));

const MAX_VALUE = 8192;
export const changeEnvVars = input('env-vars', z.record(z.string(), printable(z.string().max(MAX_VALUE)).nullable()));

const envVar = z.object({
  name: z.string(),
  required: z.boolean(),
  description: z.string().optional(),
  value: z.string().optional(),
  set: z.boolean().optional().describe('Of a client secret, which is never shown'),
  set_at: time.optional(),
  fingerprint: z.string().optional(),
});

export const component = resource(
  'component',
  z.object({
    title: z.string(),
    description: z.string().optional(),
    access: accessKind,
    team: z.string().optional(),
    version: z.number(),
    use_oauth_client: z.boolean(),
    legacy_oauth: z.boolean(),
    oauth2: z
      .object({
        auth_uri: z.string(),
        token_uri: z.string(),
        scopes: z.array(z.string()),
        client_auth: z.enum(['client_secret_basic', 'client_secret_post']),
      })
      .optional(),
    env_vars: z.array(envVar),
    functions: z.array(
      z.object({ key: z.string(), kind: z.enum(['trigger', 'action']), title: z.string().optional() }),
    ),
    created_at: time,
  }),
);

const warnings = z.array(z.object({ code: z.string(), detail: z.string(), pointer: z.string() }));
const suspended = z.boolean().describe('Whether the OAuth clients for it wait for a confirmation: an endpoint moved');

export const componentDocument = z.object({ data: component });
/** Without `meta`: the answer to a repeat under an Idempotency-Key, which is the resource as it is now. */
export const uploadedDocument = z.object({ data: component, meta: z.object({ warnings }).optional() });
export const newVersionDocument = z.object({
  data: component,
  meta: z.object({ warnings, clients_suspended: suspended }),
});
export const changedEnvDocument = z.object({ data: component, meta: z.object({ clients_suspended: suspended }) });
export const componentList = list(component);
export const componentQuery = z.strictObject(page);

const versionAttributes = z.object({ version: z.number(), created_by: z.string(), created_at: time });
export const componentVersionList = list(resource('component-version', versionAttributes));
export const componentFile = z.object({
  data: resource('component-version', z.object({ version: z.number(), file: z.string() })),
});
/** The component with its new version; a repeat under an Idempotency-Key is answered with the version itself. */
export const addedVersion = z.union([newVersionDocument, componentFile]);
