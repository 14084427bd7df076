/**
 * The registry's part of a tenant's own providers: rows of the catalogue that people of the tenant wrote. As in
 * `contract.ts`: no secret column, every method takes the tenant, a database that does not answer is REGISTRY_UNAVAILABLE.
 */
import type { PresetInput } from '../providers/preset';
import type { NewEvent, Page } from './contract-common';

export interface ProviderRow {
  readonly tenant: string;
  /** What integrations name as their preset; no shipped preset is called so (`isOwnProvider`). */
  readonly id: string;
  /** The preset or provider whose values it began with. */
  readonly base: string | null;
  /** The whole row, the base's values and its own together; checked against the schema where it is used. */
  readonly preset: PresetInput;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Providers {
  /** @throws ALREADY_EXISTS */
  create(provider: {
    tenant: string;
    id: string;
    base: string | null;
    preset: PresetInput;
    event: NewEvent;
  }): Promise<void>;
  get(tenant: string, id: string): Promise<ProviderRow | undefined>;
  list(tenant: string, page: Page): Promise<readonly ProviderRow[]>;
  /**
   * Put `to` in the place of `from`; the connections that use it are to be woken (outbox).
   * @returns false when it is not `from` any more; @throws NOT_FOUND
   */
  change(tenant: string, id: string, change: { from: PresetInput; to: PresetInput; event: NewEvent }): Promise<boolean>;
  /** Integrations that name it, 100 at most. */
  use(tenant: string, id: string): Promise<readonly { readonly id: string; readonly label: string }[]>;
  /** Locked before it is judged: no integration can be registered on it meanwhile. @throws NOT_FOUND, IN_USE */
  remove(tenant: string, id: string, event: NewEvent): Promise<void>;
}
