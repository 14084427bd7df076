/** The one place that reads the environment. Every error of it is told at once, with what to do. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DurableOAuthError } from './errors';

const flag = z.enum(['on', 'off']).transform((value) => value === 'on');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean),
);
const origin = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

const schema = z.object({
  DATABASE_URL: z.string({ error: 'set it to the URL of a PostgreSQL 15 or newer, or use `durable-oauth dev`' }).min(1),
  PUBLIC_URL: origin.default('http://127.0.0.1:3000'),
  /** The redirect URI to register; byte for byte what providers are sent. */
  CALLBACK_URL: z.url().optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number({ error: 'a number from 0 to 65535' }).int().min(0).max(65_535).default(3000),
  VAULT: z
    .enum(['directory', 'aws-secrets-manager'], { error: '"directory" or "aws-secrets-manager"' })
    .default('directory'),
  /** Begins the name of every secret in AWS Secrets Manager; one per installation. */
  VAULT_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_+=.@-]+(\/[A-Za-z0-9_+=.@-]+)*$/, 'letters, digits and /_+=.@-')
    .max(100)
    .default('durable-oauth'),
  VAULT_PATH: z.string().optional(),
  /** 32 bytes, base64; else VAULT_KEY_FILE, made on first use. */
  VAULT_KEY: z.string().optional(),
  VAULT_KEY_FILE: z.string().optional(),
  TOKEN_ROUTES: flag.default(false),
  RETURN_ORIGINS: list.default([]),
  ALLOW_PRIVATE_NETWORKS: flag.default(false),
  CALLBACK_SIGNAL: z.enum(['sealed', 'sealed-or-code']).default('sealed'),
  BRAND: z.string().default('durable-oauth'),
  /** Tenants this process serves; all when empty. */
  TENANTS: list.default([]),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export interface Config {
  readonly databaseUrl: string;
  readonly publicUrl: string;
  readonly callbackUrl: string;
  readonly host: string;
  readonly port: number;
  readonly vault:
    | { readonly driver: 'directory'; readonly path: string; readonly key?: string; readonly keyFile: string }
    /** Region, endpoint and credentials come from the AWS environment. */
    | { readonly driver: 'aws-secrets-manager'; readonly prefix: string };
  readonly tokenRoutes: boolean;
  readonly returnOrigins: readonly string[];
  readonly allowPrivateNetworks: boolean;
  readonly callbackSignal: 'sealed' | 'sealed-or-code';
  readonly brand: string;
  readonly tenants: readonly string[] | undefined;
  readonly logLevel: string;
}

/** @throws CONFIGURATION_INVALID naming every variable that is wrong */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new DurableOAuthError('CONFIGURATION_INVALID', `The environment is not valid: ${wrong.join('; ')}`);
  }
  const value = parsed.data;
  const vaultPath = value.VAULT_PATH ?? join(homedir(), '.durable-oauth', 'vault');
  return {
    databaseUrl: value.DATABASE_URL,
    publicUrl: value.PUBLIC_URL,
    callbackUrl: value.CALLBACK_URL ?? `${value.PUBLIC_URL}/callback`,
    host: value.HOST,
    port: value.PORT,
    vault:
      value.VAULT === 'aws-secrets-manager'
        ? { driver: value.VAULT, prefix: value.VAULT_PREFIX }
        : {
            driver: value.VAULT,
            path: vaultPath,
            key: value.VAULT_KEY,
            keyFile: value.VAULT_KEY_FILE ?? `${vaultPath}.key`,
          },
    tokenRoutes: value.TOKEN_ROUTES,
    returnOrigins: value.RETURN_ORIGINS,
    allowPrivateNetworks: value.ALLOW_PRIVATE_NETWORKS,
    callbackSignal: value.CALLBACK_SIGNAL,
    brand: value.BRAND,
    tenants: value.TENANTS.length === 0 ? undefined : value.TENANTS,
    logLevel: value.LOG_LEVEL,
  };
}
