/**
 * What a form asks for each grant type, in the order of the guide people follow; a save is checked by the same table, so
 * that the two cannot disagree.
 */
import type { IntegrationSettings } from '../../connection/messages';
import { GRANT_TYPES, type GrantType } from '../../connection/types';

export type FieldName =
  | 'label'
  | 'grant_type'
  | 'token_url'
  | 'client_id'
  | 'client_secret'
  | 'scope'
  | 'api_base_url'
  | 'tenant_id'
  | 'authorization_url'
  | 'redirect_uri'
  | 'refresh_token';

/** What decides which fields there are. */
type Case = Pick<IntegrationSettings, 'grant_type' | 'client_auth'>;

interface Row {
  readonly name: FieldName;
  readonly kind: 'text' | 'url' | 'secret' | 'select';
  /** Default: in every form. */
  readonly asked?: (of: Case) => boolean;
  /** Default: wherever it is asked. What a preset brings need not be filled in all the same. */
  readonly required?: (of: Case) => boolean;
}

export type Field = Omit<Row, 'asked' | 'required'> & { readonly required: boolean };

const never = (): boolean => false;
const isCode = ({ grant_type }: Case): boolean => grant_type === 'authorization_code';
const isPasted = ({ grant_type }: Case): boolean => grant_type === 'refresh_token';

const ROWS: readonly Row[] = [
  { name: 'label', kind: 'text' },
  { name: 'grant_type', kind: 'select' },
  { name: 'token_url', kind: 'url' },
  { name: 'client_id', kind: 'text' },
  { name: 'client_secret', kind: 'secret', asked: ({ client_auth }) => client_auth !== 'none' },
  { name: 'scope', kind: 'text', required: isCode },
  { name: 'api_base_url', kind: 'url' },
  { name: 'tenant_id', kind: 'text', required: never },
  { name: 'authorization_url', kind: 'url', asked: isCode },
  // Ours (C13): shown so that it can be registered, never asked.
  { name: 'redirect_uri', kind: 'url', asked: isCode, required: never },
  { name: 'refresh_token', kind: 'secret', asked: isPasted },
];

const always = (): boolean => true;

/** The fields of a form, and whether something must stand in each. */
export function fieldsOf(of: Case): Field[] {
  return ROWS.filter(({ asked = always }) => asked(of)).map(({ name, kind, required = always }) => ({
    name,
    kind,
    required: required(of),
  }));
}

/** Secrets that do not belong to the case: one that is sent nevertheless is refused, not dropped. */
export function strangeSecretsOf(of: Case): FieldName[] {
  return ROWS.filter(({ kind, asked = always }) => kind === 'secret' && !asked(of)).map(({ name }) => name);
}

export interface Secrets {
  readonly client_secret?: string;
  readonly refresh_token?: string;
}

/** What stands in each field: typed, or brought by the preset. Empty where nothing does. */
export function valuesOf(settings: IntegrationSettings, secrets: Secrets): Readonly<Record<FieldName, string>> {
  const { endpoints } = settings;
  return {
    label: settings.label,
    grant_type: settings.grant_type,
    token_url: endpoints.token,
    client_id: settings.client_id,
    client_secret: secrets.client_secret ?? '',
    scope: settings.scope,
    api_base_url: settings.api_base_url,
    tenant_id: settings.customer_reference ?? '',
    authorization_url: endpoints.authorization ?? '',
    redirect_uri: settings.redirect_uri ?? '',
    refresh_token: secrets.refresh_token ?? '',
  };
}

/** What people call client credentials without anybody to ask: machine to machine. */
const M2M = 'm2m';

/** The grant type of words as people write them: "Client Credentials", "m2m". There is no password grant. */
export function grantTypeOf(words: string): GrantType | undefined {
  const bare = (text: string): string => text.toLowerCase().replace(/[\s_-]+/g, '');
  return bare(words) === M2M ? 'client_credentials' : GRANT_TYPES.find((type) => bare(type) === bare(words));
}
