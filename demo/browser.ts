/** A person with a browser, by script: opens our start page, logs in and consents at the provider, confirms here. */
import { CookieJar } from './browser/cookies';
import { linkEndingWith, postForm } from './browser/forms';
import type { Form } from './browser/forms';

export interface Visit {
  /** Where the person begins: a consent link's start page, or an authorization URL. */
  readonly startUrl: string;
  /** Name typed into the provider's login form; it becomes the account. Any password does. */
  readonly login: string;
  /** Gets what the person did, one line a step; no address, since those may carry secrets. */
  readonly log?: (line: string) => void;
  /** Ends the visit at a redirect to an address that begins so, without opening it. */
  readonly stopBefore?: string;
}

/** The page the person ends up on. */
export interface Landing {
  readonly finalUrl: string;
  readonly status: number;
  readonly html: string;
}

interface Page extends Landing {
  /** Set when the visit ended before this page was opened. */
  readonly unopened?: true;
  readonly referrerPolicy?: string;
}

const MOST_STEPS = 25;
const PAGE_DEADLINE_MS = 30_000;

/**
 * Presses the one button of every page until a page asks for nothing more: start, login, consent, confirm.
 *
 * @returns the result page, or the first page that says something went wrong
 * @throws Error when it goes round in circles or a server does not answer in 30 s
 */
export function consentAsPerson(visit: Visit): Promise<Landing> {
  return walk(visit, false);
}

/** As `consentAsPerson`, but presses the provider's "Cancel" where it asks for consent. */
export function declineAsPerson(visit: Visit): Promise<Landing> {
  return walk(visit, true);
}

async function walk({ startUrl, login, log = () => undefined, stopBefore }: Visit, decline: boolean): Promise<Landing> {
  const browser = new Browser(stopBefore);
  let page = await browser.open(new URL(startUrl));
  log(`opened ${new URL(startUrl).host}`);
  const pressed = new Set<string>();
  for (;;) {
    const form = page.unopened || page.status >= 400 ? undefined : postForm(page.html, new URL(page.finalUrl));
    // A result page may offer to begin again: nobody presses the same button twice.
    if (!form || pressed.has(form.action.href)) break;
    pressed.add(form.action.href);
    const cancel =
      decline && form.fields.get('prompt') === 'consent' && linkEndingWith('/abort', page.html, form.action);
    page = cancel ? await browser.open(cancel) : await browser.post(form, login, page);
    log(`pressed "${cancel ? 'Cancel' : form.button}" at ${form.action.host}`);
  }
  return { finalUrl: page.finalUrl, status: page.status, html: page.html };
}

class Browser {
  readonly #jar = new CookieJar();
  readonly #stopBefore: string | undefined;
  #steps = 0;

  constructor(stopBefore: string | undefined) {
    this.#stopBefore = stopBefore;
  }

  open(url: URL): Promise<Page> {
    return this.#follow(url, { method: 'GET' });
  }

  post({ action, fields }: Form, login: string, from: Page): Promise<Page> {
    const filled = [...fields].map(([name, value]): [string, string] => [name, value || login]);
    return this.#follow(action, {
      method: 'POST',
      body: new URLSearchParams(filled),
      // As browsers do it: a page that sends no referrer sends no origin with its forms either.
      headers: { origin: from.referrerPolicy === 'no-referrer' ? 'null' : new URL(from.finalUrl).origin },
    });
  }

  async #follow(url: URL, init: RequestInit): Promise<Page> {
    if (this.#stopBefore !== undefined && url.href.startsWith(this.#stopBefore))
      return { finalUrl: url.href, status: 0, html: '', unopened: true };
    if (++this.#steps > MOST_STEPS) throw new Error(`consent does not come to an end [steps=${MOST_STEPS}]`);

    const cookie = this.#jar.header(url);
    const response = await fetch(url, {
      ...init,
      headers: { accept: 'text/html', 'accept-language': 'en', ...(cookie && { cookie }), ...init.headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(PAGE_DEADLINE_MS),
    }).catch(() => {
      throw new Error(`a page did not answer [host=${url.host}]`);
    });
    this.#jar.store(url, response.headers.getSetCookie());
    const html = await response.text();
    const location = response.headers.get('location');
    if (location && response.status >= 300 && response.status < 400) {
      const samePost = response.status === 307 || response.status === 308;
      return this.#follow(new URL(location, url), samePost ? init : { method: 'GET' });
    }
    const referrerPolicy = response.headers.get('referrer-policy') ?? undefined;
    return { finalUrl: url.href, status: response.status, html, referrerPolicy };
  }
}
