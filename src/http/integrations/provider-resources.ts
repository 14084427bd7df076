/** Rows of the catalogue as resources. */
import type { z } from 'zod';
import type { Preset } from '../../providers/preset';
import type { ProviderRow } from '../../registry/contract-providers';
import type { AppConfig } from '../deps';
import { redirectUri } from './redirect-uri';
import type { provider } from '../schemas/provider';
import { providerPath } from '../paths';

type Provider = z.output<typeof provider>;

/** @param row of a tenant's own; absent for a shipped one */
export function toProvider(
  tenant: string,
  preset: Preset,
  { callbackBase }: Pick<AppConfig, 'callbackBase'>,
  row?: ProviderRow,
): Provider {
  const { name, endpoints, ...rest } = preset;
  const constant = row === undefined && endpoints !== undefined;
  return {
    type: 'provider',
    id: name,
    attributes: {
      ...rest,
      base: row?.base ?? null,
      read_only: row === undefined,
      constant_endpoints: constant,
      redirect_uri: constant ? redirectUri(callbackBase) : undefined,
      authorization_url: endpoints?.authorization,
      token_url: endpoints?.token,
      revocation_url: endpoints?.revocation,
      identity_url: endpoints?.identity,
      issuer: endpoints?.issuer,
      created_at: row?.createdAt,
      updated_at: row?.updatedAt,
    },
    relationships: {
      integrations: { links: { related: `/v2/tenants/${tenant}/integrations?filter[provider]=${name}` } },
    },
    links: { self: providerPath(tenant, name) },
  };
}
