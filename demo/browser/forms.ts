/** Reads the forms and links of the plain pages that the demo walks through. */
export interface Form {
  readonly action: URL;
  /** What its first submit button says. */
  readonly button: string;
  /** Values as the page fills them in; an empty one is for the person. */
  readonly fields: ReadonlyMap<string, string>;
}

/** The first form of a page that posts. */
export function postForm(html: string, pageUrl: URL): Form | undefined {
  for (const [, open = '', content = ''] of html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)) {
    const form = attributes(open);
    if (form.get('method')?.toLowerCase() !== 'post') continue;
    const fields = new Map<string, string>();
    for (const [, input = ''] of content.matchAll(/<input\b([^>]*)>/gi)) {
      const given = attributes(input);
      const name = given.get('name');
      const unticked = /^(checkbox|radio)$/i.test(given.get('type') ?? '') && !given.has('checked');
      if (name && !unticked) fields.set(name, given.get('value') ?? '');
    }
    const [, pressed = '', text = ''] = /<button\b([^>]*)>(.*?)<\/button>/is.exec(content) ?? [];
    const button = attributes(pressed);
    const name = button.get('name');
    if (name) fields.set(name, button.get('value') ?? '');
    return { action: new URL(form.get('action') || pageUrl.href, pageUrl), button: decode(text).trim(), fields };
  }
  return undefined;
}

/** The first link whose address ends so. */
export function linkEndingWith(end: string, html: string, pageUrl: URL): URL | undefined {
  const hrefs = [...html.matchAll(/<a\b([^>]*)>/gi)].map(([, inside = '']) => attributes(inside).get('href'));
  const href = hrefs.find((address) => address?.endsWith(end));
  return href === undefined ? undefined : new URL(href, pageUrl);
}

function attributes(inside: string): Map<string, string> {
  const found = inside.matchAll(/([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi);
  return new Map([...found].map(([, name = '', a, b, c]) => [name.toLowerCase(), decode(a ?? b ?? c ?? '')]));
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex) return String.fromCodePoint(parseInt(hex, 16));
      if (decimal) return String.fromCodePoint(Number(decimal));
      return ENTITIES[name ?? ''] ?? whole;
    },
  );
}
