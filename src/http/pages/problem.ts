/** Pages that say why it does not go on: reason, effect, next step. */
import type { Values, Wording } from '../../connection/wording';
import { fill } from '../../connection/wording';
import { HEADINGS, WHO } from '../../connection/words';
import { markup, type Html } from './html';
import type { Page, Said } from './page';

/** @param values what the words for who must act may name */
export function problemPage({ lang }: Said, wording: Wording, values: Values, after?: Html): Page {
  const words = HEADINGS[lang];
  return {
    title: wording.title,
    body: markup`<p>${wording.reason}</p>
      ${part(words.effect, wording.effect)} ${part(words.next, wording.next)}
      ${part(words.who, fill(WHO[lang][wording.who], values))} ${after}`,
  };
}

/** One page for whatever a browser may send that belongs to no attempt of its own: it tells nothing. */
export function neutralPage({ lang, say }: Said): Page {
  return plainProblem(lang, say('neutralTitle'), say('neutralReason'), say('unchanged'), say('openAgain'));
}

/** One page for every link that starts nothing. */
export function deadLinkPage({ lang, say }: Said): Page {
  return plainProblem(lang, say('linkTitle'), say('linkReason'), say('unchanged'), say('linkNext'));
}

/** Says nothing of what was done: with a part of ours silent, nobody knows. */
export function busyPage({ lang, say }: Said, trace: string): Page {
  return plainProblem(
    lang,
    say('busyTitle'),
    say('busyReason'),
    say('unchanged'),
    say('busyNext', { evidence: trace }),
  );
}

function plainProblem(lang: Said['lang'], title: string, reason: string, effect: string, next: string): Page {
  const words = HEADINGS[lang];
  return {
    title,
    body: markup`<p>${reason}</p>
      ${part(words.effect, effect)}${part(words.next, next)}`,
  };
}

const part = (heading: string, text: string): Html | undefined =>
  text === ''
    ? undefined
    : markup`<h2>${heading}</h2>
        <p>${text}</p>`;
