/** What a revocation has done so far, in sentences. */
import type { Tombstone } from './messages';
import type { Lang } from './reasons';
import type { Fallback } from './types';
import { REVOCATION_STEPS } from './words';
import { fill, join, minute, plain, wordReason, type Wording } from './wording';

export function describeRevocation(tombstone: Tombstone, app: string, fallback: Fallback, lang: Lang): Wording {
  const words = REVOCATION_STEPS[lang];
  const atProvider = { app: plain(app), at: minute(tombstone.providerAt ?? tombstone.frozenAt) };
  const values = {
    app: plain(app),
    since: minute(tombstone.frozenAt),
    by: plain(tombstone.by),
    steps: fill(words[tombstone.provider], atProvider),
  };
  const ours = tombstone.destroyedAt
    ? fill(words.destroyed, { at: minute(tombstone.destroyedAt) })
    : words.not_destroyed;
  const wording = wordReason('REVOKED_HERE', lang, values, { fallback });
  return { ...wording, effect: join(wording.effect, ours) };
}
