/** Markup by template: every value is escaped, but what is HTML of ours already. */

/** Markup that needs no escaping any more. Made by `markup` only. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

type Value = Html | readonly Html[] | string | undefined;

/** Not called `html`: formatters reflow templates of that name, and the style's hash depends on every blank. */
export function markup(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.map((part, index) => (index === 0 ? '' : markupOf(values[index - 1])) + part).join(''));
}

function markupOf(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return value instanceof Html ? value.toString() : value.map(String).join('');
}
