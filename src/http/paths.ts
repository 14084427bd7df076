/** Where resources are. */

export const tenantsPath = (id: string): string => `/v2/tenants/${id}`;
export const principalPath = (home: string, id: string): string => `${tenantsPath(home)}/principals/${id}`;
export const componentPath = (tenant: string, id: string): string => `${tenantsPath(tenant)}/components/${id}`;
export const oauthClientPath = (tenant: string, id: string): string => `${tenantsPath(tenant)}/oauth-clients/${id}`;
export const flowPath = (tenant: string, id: string): string => `${tenantsPath(tenant)}/flows/${id}`;
export const providerPath = (tenant: string, id: string): string => `${tenantsPath(tenant)}/providers/${id}`;
export const integrationPath = (tenant: string, id: string): string => `${tenantsPath(tenant)}/integrations/${id}`;
export const connectionPath = (tenant: string, id: string): string => `${tenantsPath(tenant)}/connections/${id}`;
