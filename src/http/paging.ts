/** Pages of a collection: the JSON:API cursor profile, forward only. */
import type { Page } from '../registry/contract';

interface PageQuery {
  readonly 'page[size]': number;
  readonly 'page[after]'?: string | undefined;
  readonly sort?: string | undefined;
}

type Filters = Readonly<Record<`filter[${string}]`, string | undefined>>;

interface Warning {
  readonly code: string;
  readonly detail: string;
  readonly parameter: string;
}

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  readonly links: { readonly prev: null; readonly next: string | null };
}

/** Read one row more than asked: it tells whether there is a next page. */
export async function readPage<Row extends { id: string }>(
  path: string,
  query: PageQuery & Filters,
  read: (page: Page) => Promise<readonly Row[]>,
): Promise<PageOf<Row>> {
  const size = query['page[size]'];
  const found = await read({ size: size + 1, after: query['page[after]'] });
  const rows = found.slice(0, size);
  const last = rows.at(-1);
  return { rows, links: { prev: null, next: found.length > size && last ? nextLink(path, query, last.id) : null } };
}

/** An empty filter filters nothing, and is said (C3). */
export function warningsAbout(query: Filters): { warnings?: Warning[] } {
  const empty = Object.entries(query).filter(([name, value]) => name.startsWith('filter[') && value === '');
  if (empty.length === 0) return {};
  return {
    warnings: empty.map(([parameter]) => ({
      code: 'EMPTY_FILTER_IGNORED',
      detail: 'An empty filter filters nothing',
      parameter,
    })),
  };
}

function nextLink(path: string, query: PageQuery & Filters, after: string): string {
  const parameters = new URLSearchParams({ 'page[size]': String(query['page[size]']), 'page[after]': after });
  for (const [name, value] of Object.entries(query)) {
    if (name.startsWith('filter[') && typeof value === 'string' && value !== '') parameters.set(name, value);
  }
  if (query.sort !== undefined) parameters.set('sort', query.sort);
  return `${path}?${parameters.toString()}`;
}
