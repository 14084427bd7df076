/** One page: server-rendered, no script, its language declared, nothing loaded from anywhere (oauth.md 6). */
import type { FastifyReply } from 'fastify';
import type { Lang } from '../../connection/reasons';
import { fill } from '../../connection/wording';
import { Html, markup } from './html';
import { STYLE, STYLE_HASH } from './style';
import { TEXTS, type TextName } from './texts';

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Reload after so many seconds, or go on to a checked place. */
  readonly refresh?: { readonly seconds: number; readonly url?: string };
  /** The form's answer redirects to another origin. */
  readonly leaves?: boolean;
}

/** Texts of one request: its language, and what every text may name. */
export interface Said {
  readonly lang: Lang;
  readonly brand: string;
  say(name: TextName, values?: Readonly<Record<string, string | undefined>>): string;
}

export function saying(lang: Lang, brand: string): Said {
  return { lang, brand, say: (name, values = {}) => fill(TEXTS[lang][name], { brand, ...values }) };
}

export function sendPage(reply: FastifyReply, status: number, { lang, brand }: Said, page: Page): FastifyReply {
  const { refresh, title, body } = page;
  const content = refresh && `${refresh.seconds}${refresh.url === undefined ? '' : `;url=${refresh.url}`}`;
  const document = markup`<!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        ${content === undefined ? undefined : markup`<meta http-equiv="refresh" content="${content}" />`}
        <title>${title} – ${brand}</title>
        <style>${new Html(STYLE)}</style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
        <footer>${brand}</footer>
      </body>
    </html>`;
  return reply
    .code(status)
    .header('content-language', lang)
    .header('vary', 'accept-language')
    .header('content-security-policy', policyOf(page))
    .type('text/html; charset=utf-8')
    .send(document.toString());
}

function policyOf({ leaves = false }: Page): string {
  const always = ["default-src 'none'", `style-src ${STYLE_HASH}`, "base-uri 'none'", "frame-ancestors 'none'"];
  // Browsers apply form-action to every redirect that follows; the provider's own ones cannot be known.
  return [...always, ...(leaves ? [] : ["form-action 'self'"])].join('; ');
}
