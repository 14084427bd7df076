import { DAY, refreshDueAt } from '../src/connection/clocks';
import { originIn, type SaveInput, type SaveResult } from '../src/connection/messages';
import type { Catalogue, Preset } from '../src/providers/preset';
import { policyOf } from '../src/providers/resolve';
import type { Registry } from '../src/registry/contract';
import type { DurableOAuthActivities, SaveValidation } from './contract';
import { behindBoundary } from './failure';
import { presetOfDraft } from './grant-context';

export interface RegisterDeps {
  readonly registry: Pick<Registry, 'integrations' | 'providers'>;
  readonly catalogue: Catalogue;
}

/** How long a code-grant connection waits for its first consent before its save is undone. */
const PENDING_MS = 7 * DAY;

/**
 * Insert the rows of a save (OAuth client, integration, connection) and its event, in one transaction. Repeating is
 * harmless. Fails with ALREADY_EXISTS when something else has the id.
 */
export function createRegisterIntegration(deps: RegisterDeps): DurableOAuthActivities['registerIntegration'] {
  return (input) =>
    behindBoundary(async (): Promise<SaveResult> => {
      const { tenant, integration, connection, draft, validation } = input;
      const { token } = validation;
      const preset = await presetOfDraft(deps, input);
      await deps.registry.integrations.register({
        tenant,
        integration,
        connection,
        client: { id: input.client, label: draft.label, secretId: draft.client_auth === 'none' ? null : input.secret },
        component: input.component,
        settings: draft,
        grant: token?.grant ?? null,
        token,
        account: validation.account,
        state: token ? 'active' : 'pending_consent',
        grantedAt: validation.grantedAt,
        nextAttemptAt: nextAttempt(preset, input, validation),
        consentDeadline: token
          ? undefined
          : new Date(Date.now() + (input.tuning?.pendingConsentMs ?? PENDING_MS)).toISOString(),
        fingerprint: validation.fingerprint,
        about: input.about,
        event: {
          type: 'integration.saved',
          ...originIn(input),
          facts: {
            integration,
            connection,
            grant_type: draft.grant_type,
            proven: validation.proven,
            warnings: validation.warnings,
          },
        },
      });
      const state = token ? 'active' : 'pending_consent';
      return { v: 1, integration, connection, state, token, proven: validation.proven };
    });
}

function nextAttempt(preset: Preset, input: SaveInput, { token }: SaveValidation): string | null {
  if (token === undefined) return null;
  const policy = policyOf(input.draft, preset);
  const due = refreshDueAt({ ...token, usedAt: token.issuedAt }, policy, { now: Date.now(), random: () => 0 });
  return due === undefined ? null : new Date(due).toISOString();
}
