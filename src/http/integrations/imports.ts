/**
 * Import of tokens that another program refreshed so far. Each entry is a save of its own, so nothing is spent before it
 * can be kept, and what has begun ends without this process. The first one is proven before the others begin; those wait
 * for their turn inside Temporal.
 */
import type { z } from 'zod';
import type { Caller, SaveRequest } from '../../client/contract';
import { SECOND } from '../../connection/clocks';
import type { Lang } from '../../connection/reasons';
import { isDurableOAuthError } from '../../errors';
import type { AppDeps } from '../deps';
import { ProblemError, type Problem } from '../problem';
import { failedSave, toSaveRequest } from './save';
import type { ImportAttributes, importDocument } from '../schemas/import';
import { appOf } from './integration-resource';
import { integrationPath } from '../paths';

type Entry = z.output<typeof importDocument>['data']['attributes']['entries'][number];

const ATTRIBUTES = '/data/attributes';
const pointerTo = (index: number): string => `${ATTRIBUTES}/entries/${index}`;

/**
 * Check all entries at once, as a save checks one.
 * @throws ProblemError; nothing has been called or stored then
 */
export async function toSaveRequests(
  { template, entries }: ImportAttributes,
  tenant: string,
  lang: Lang,
  caller: Caller,
  deps: AppDeps,
): Promise<SaveRequest[]> {
  const problems = new Map<string, Problem>();
  const note = (problem: Problem): unknown => problems.set(`${problem.code} ${problem.pointer ?? ''}`, problem);
  const ids = new Set<string>();
  const tokens = new Set<string>();
  const saves: SaveRequest[] = [];
  for (const [index, { id, ...entry }] of entries.entries()) {
    if (ids.has(id)) note({ ...REPEATED, pointer: `${pointerTo(index)}/id` });
    if (tokens.has(entry.refresh_token)) note({ ...REPEATED, pointer: `${pointerTo(index)}/refresh_token` });
    ids.add(id);
    tokens.add(entry.refresh_token);
    const attributes = {
      ...template,
      ...entry,
      label: entry.label ?? template.label,
      grant_type: 'refresh_token',
    } as const;
    try {
      const document = { data: { type: 'integration', id, attributes } } as const;
      saves.push((await toSaveRequest(document, tenant, lang, caller, deps)).save);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      for (const problem of error.problems) note({ ...problem, pointer: placed(problem.pointer, index, entry) });
    }
  }
  if (problems.size > 0) throw new ProblemError([...problems.values()]);
  return saves;
}

const REPEATED = { code: 'MEMBER_INVALID', detail: 'An entry before this one has the same' } as const;

/** Where the member stands that a save would have among its attributes. */
function placed(pointer: string | undefined, index: number, entry: object): string {
  const member = pointer?.slice(ATTRIBUTES.length + 1) ?? '';
  return Object.hasOwn(entry, member) ? `${pointerTo(index)}/${member}` : `${ATTRIBUTES}/template/${member}`;
}

/**
 * Save the first that is not there yet and wait for it, then begin the others one after another at the pace. What was not
 * begun is said, and can be imported again.
 * @throws ProblemError when the first one fails: nothing else was begun; SAVE_IN_PROGRESS, TEMPORAL_UNAVAILABLE
 */
export async function importAll(
  deps: AppDeps,
  saves: readonly SaveRequest[],
  { dry_run: dryRun, pace_seconds: pace }: Pick<ImportAttributes, 'dry_run' | 'pace_seconds'>,
  caller: Caller,
  lang: Lang,
): Promise<Entry[]> {
  const { registry, connections } = deps;
  const there = await Promise.all(
    saves.map(({ tenant, integration }) => registry.integrations.isTaken(tenant, integration)),
  );
  const entries = saves.map(({ tenant, integration }, index): Entry => ({
    pointer: pointerTo(index),
    integration,
    status: there[index] ? 'exists' : dryRun ? 'checked' : 'not_started',
    location: integrationPath(tenant, integration),
  }));
  const [first, ...others] = saves.flatMap((save, index) => (there[index] || dryRun ? [] : [{ save, index }]));
  if (first === undefined) return entries;
  const become = (index: number, change: Partial<Entry>): unknown => Object.assign(entries[index] ?? {}, change);

  const outcome = await connections.save(first.save, caller);
  if (outcome.kind === 'failed') {
    const { tenant, settings } = first.save;
    const provider = await registry.providers.get(tenant, settings.preset);
    throw firstFailed(failedSave(outcome, appOf(first.save, deps.catalogue, provider), lang), first.index);
  }
  if (outcome.kind === 'running') {
    // Not proven yet, so the others are not begun.
    become(first.index, { status: 'saving' });
    return entries;
  }
  become(first.index, { status: 'saved', connection: outcome.connection });
  for (const [turn, { save, index }] of others.entries()) {
    try {
      await connections.saveLater(save, (turn + 1) * pace * SECOND, caller);
    } catch (error) {
      if (isDurableOAuthError(error, 'TEMPORAL_UNAVAILABLE')) return entries;
      if (!isDurableOAuthError(error, 'SAVE_IN_PROGRESS')) throw error;
    }
    become(index, { status: 'saving' });
  }
  return entries;
}

function firstFailed({ problems, retryAfterSeconds }: ProblemError, index: number): ProblemError {
  const said = problems.map((problem) => ({ ...problem, pointer: pointerTo(index) }));
  return new ProblemError(said, retryAfterSeconds);
}
