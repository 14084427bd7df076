/** What came of a refresh that a person asked for. Pure. */
import { epoch } from './clocks';
import type { FreshAnswer } from './messages';
import type { Lang } from './reasons';
import { REFRESH_OUTCOMES } from './words';
import { fill, minute, plain } from './wording';

export type RefreshOutcome = keyof (typeof REFRESH_OUTCOMES)['en'];
export const REFRESH_OUTCOME_NAMES = Object.keys(REFRESH_OUTCOMES.en) as [RefreshOutcome, ...RefreshOutcome[]];

/** @param before the generation the asker knew of */
export function refreshOutcome(
  before: number,
  { generation, state, nextAttemptAt }: Pick<FreshAnswer, 'generation' | 'state' | 'nextAttemptAt'>,
  now: Date,
): RefreshOutcome {
  if (generation > before) return 'refreshed';
  if (nextAttemptAt !== undefined && epoch(nextAttemptAt) <= now.getTime()) return 'pending';
  return state === 'active' ? 'kept' : 'not_refreshed';
}

export function describeRefresh(outcome: RefreshOutcome, app: string, expiresAt: string | null, lang: Lang): string {
  return fill(REFRESH_OUTCOMES[lang][outcome], { app: plain(app), until: expiresAt && minute(expiresAt) });
}
