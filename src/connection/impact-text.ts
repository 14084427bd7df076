/** What a revocation would do, in sentences. */
import { FALLBACKS, type Lang } from './reasons';
import type { Fallback } from './types';
import { IMPACT } from './words';
import { fill, plain } from './wording';

export interface Impact {
  readonly app: string;
  /** How many flows include the connection. */
  readonly flows: number;
  /** How many steps of flows wait for it at this moment. */
  readonly waiting: number;
  readonly fallback: Fallback;
  /** Whether a person's consent connects it; else saving its secrets anew does. */
  readonly byConsent: boolean;
}

export interface ImpactWording {
  readonly stops: string;
  readonly stays: string;
  readonly reconnect: string;
}

export function describeImpact({ app, flows, waiting, fallback, byConsent }: Impact, lang: Lang): ImpactWording {
  const words = IMPACT[lang];
  const values = {
    app: plain(app),
    flows: String(flows),
    waiting: String(waiting),
    fallback: FALLBACKS[lang][fallback],
  };
  const stops = [flows > 0 ? words.stops : words.none, waiting > 0 ? words.waiting : ''];
  return {
    stops: stops
      .filter(Boolean)
      .map((text) => fill(text, values))
      .join(' '),
    stays: fill(words.stays, values),
    reconnect: byConsent ? words.reconnect : words.save_again,
  };
}
