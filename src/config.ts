/** The one place that reads the environment. Every error of it is told at once, with what to do. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DurableOAuthError } from './errors';
import { keyRingFromText, type KeyRing } from './vault/key-ring';

const flag = z.enum(['on', 'off']).transform((value) => value === 'on');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean),
);
const origin = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

export const VAULT_DRIVERS = ['directory', 'aws-secrets-manager', 'postgres-sealed'] as const;
export type VaultDriver = (typeof VAULT_DRIVERS)[number];

const variables = z.object({
  DATABASE_URL: z.string({ error: 'set it to the URL of a PostgreSQL 15 or newer, or use `durable-oauth dev`' }).min(1),
  PUBLIC_URL: origin.default('http://127.0.0.1:3000'),
  /** The redirect URI to register; byte for byte what providers are sent. */
  CALLBACK_URL: z.url().optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number({ error: 'a number from 0 to 65535' }).int().min(0).max(65_535).default(3000),
  VAULT: z
    .enum(VAULT_DRIVERS, { error: '"directory", "aws-secrets-manager" or "postgres-sealed"' })
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
  /** PostgreSQL of the sealed vault: a role of its own, better a database of its own. */
  VAULT_DATABASE_URL: z.string().optional(),
  /** `<id>:<base64 of 32 bytes>`, several joined by commas; the first seals, all open. */
  VAULT_KEYS: z.string().optional(),
  TOKEN_ROUTES: flag.default(false),
  /** The routes from which components of elastic.io read access tokens (docs/elasticio-compatibility.md). */
  ELASTICIO_SECRETS: flag.default(false),
  RETURN_ORIGINS: list.default([]),
  ALLOW_PRIVATE_NETWORKS: flag.default(false),
  CALLBACK_SIGNAL: z.enum(['sealed', 'sealed-or-code']).default('sealed'),
  BRAND: z.string().default('durable-oauth'),
  /** Tenants this process serves; all when empty. */
  TENANTS: list.default([]),
  /** Requests of one API key that one server answers in a minute. */
  API_RATE_PER_MINUTE: z.coerce.number({ error: 'a number from 1' }).int().min(1).default(600),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});
const schema = variables.refine(({ ELASTICIO_SECRETS, TOKEN_ROUTES }) => TOKEN_ROUTES || !ELASTICIO_SECRETS, {
  path: ['ELASTICIO_SECRETS'],
  error: 'hands out access tokens: set TOKEN_ROUTES to "on" as well',
});

export type VaultConfig =
  | { readonly driver: 'directory'; readonly path: string; readonly key?: string; readonly keyFile: string }
  /** Region, endpoint and credentials come from the AWS environment. */
  | { readonly driver: 'aws-secrets-manager'; readonly prefix: string }
  | { readonly driver: 'postgres-sealed'; readonly url: string; readonly keys: KeyRing };

export interface Config {
  readonly databaseUrl: string;
  readonly publicUrl: string;
  readonly callbackUrl: string;
  readonly host: string;
  readonly port: number;
  readonly vault: VaultConfig;
  readonly tokenRoutes: boolean;
  readonly elasticioSecrets: boolean;
  readonly returnOrigins: readonly string[];
  readonly allowPrivateNetworks: boolean;
  readonly callbackSignal: 'sealed' | 'sealed-or-code';
  readonly brand: string;
  readonly tenants: readonly string[] | undefined;
  readonly ratePerMinute: number;
  readonly logLevel: string;
}

/** @throws CONFIGURATION_INVALID naming every variable that is wrong */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const value = parse(env);
  return {
    databaseUrl: value.DATABASE_URL,
    publicUrl: value.PUBLIC_URL,
    callbackUrl: value.CALLBACK_URL ?? `${value.PUBLIC_URL}/callback`,
    host: value.HOST,
    port: value.PORT,
    vault: vaultOf(value.VAULT, value),
    tokenRoutes: value.TOKEN_ROUTES,
    elasticioSecrets: value.ELASTICIO_SECRETS,
    returnOrigins: value.RETURN_ORIGINS,
    allowPrivateNetworks: value.ALLOW_PRIVATE_NETWORKS,
    callbackSignal: value.CALLBACK_SIGNAL,
    brand: value.BRAND,
    tenants: value.TENANTS.length === 0 ? undefined : value.TENANTS,
    ratePerMinute: value.API_RATE_PER_MINUTE,
    logLevel: value.LOG_LEVEL,
  };
}

/** What the environment says of a driver, whether or not it is the one in use. @throws CONFIGURATION_INVALID */
export function readVaultConfig(env: NodeJS.ProcessEnv, driver: VaultDriver): VaultConfig {
  return vaultOf(driver, parse(env));
}

function parse(env: NodeJS.ProcessEnv): z.infer<typeof schema> {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new DurableOAuthError('CONFIGURATION_INVALID', `The environment is not valid: ${wrong.join('; ')}`);
}

function vaultOf(driver: VaultDriver, value: z.infer<typeof schema>): VaultConfig {
  switch (driver) {
    case 'aws-secrets-manager':
      return { driver, prefix: value.VAULT_PREFIX };
    case 'postgres-sealed': {
      const { VAULT_DATABASE_URL: url, VAULT_KEYS: keys } = value;
      if (url && keys) return { driver, url, keys: keyRingFromText(keys) };
      throw new DurableOAuthError(
        'CONFIGURATION_INVALID',
        'The vault "postgres-sealed" needs VAULT_DATABASE_URL (a role of its own) and VAULT_KEYS (for example k1:, and behind it what `openssl rand -base64 32` prints)',
      );
    }
    case 'directory': {
      const path = value.VAULT_PATH ?? join(homedir(), '.durable-oauth', 'vault');
      return { driver, path, key: value.VAULT_KEY, keyFile: value.VAULT_KEY_FILE ?? `${path}.key` };
    }
  }
}
