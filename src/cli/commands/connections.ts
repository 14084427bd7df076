/** `connections list|show|refresh|revoke` and `explain`: what operators do at a terminal. */
import { parseRef } from '../../connection/ids';
import type { Api } from '../api';

interface Resource {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}
interface Document<T> {
  readonly data: T;
  readonly links?: { readonly next: string | null };
}

export type Print = (value: unknown, text: () => string) => void;

export async function list(api: Api, print: Print): Promise<void> {
  const data: Resource[] = [];
  let next: string | null | undefined = `/v2/tenants/${api.tenant}/connections?page[size]=100`;
  while (next) {
    const page: Document<readonly Resource[]> = await api.get(next);
    data.push(...page.data);
    next = page.links?.next;
  }
  print(data, () =>
    table(
      data.map(({ id, attributes: a }) => [
        `${api.tenant}/${id}`,
        a['state'],
        a['reason'] ?? '',
        a['expires_at'] ?? '',
      ]),
    ),
  );
}

export async function show(api: Api, ref: string, print: Print): Promise<void> {
  const resource = await read(api, ref);
  print(resource, () =>
    Object.entries(resource.attributes)
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
      .join('\n'),
  );
}

export async function explain(api: Api, ref: string, print: Print): Promise<void> {
  const { attributes } = await read(api, ref);
  print(attributes, () => String(attributes['text'] ?? attributes['title']));
}

/** A generation that is very young is kept. */
export async function refresh(api: Api, ref: string, print: Print): Promise<void> {
  const { tenant, connection } = parseRef(ref);
  const path = `/v2/tenants/${tenant}/connections/${connection}/refreshes`;
  const { data } = await api.post<Document<Resource>>(path, { data: { type: 'refresh', attributes: {} } });
  print(data, () => [data.attributes['text'], data.attributes['next_action']].filter(Boolean).join('\n'));
}

export async function revoke(api: Api, ref: string, print: Print): Promise<void> {
  const { tenant, connection } = parseRef(ref);
  const path = `/v2/tenants/${tenant}/connections/${connection}/revocations`;
  const { data } = await api.post<Document<Resource>>(path, {
    data: { type: 'revocation', attributes: { reason: 'revoked at the terminal' } },
  });
  print(data, () =>
    Object.entries(data.attributes)
      .map(([name, value]) => `${name}: ${String(value)}`)
      .join('\n'),
  );
}

async function read(api: Api, ref: string): Promise<Resource> {
  const { tenant, connection } = parseRef(ref);
  return (await api.get<Document<Resource>>(`/v2/tenants/${tenant}/connections/${connection}`)).data;
}

function table(rows: readonly (readonly unknown[])[]): string {
  const all = [['connection', 'state', 'reason', 'expires'], ...rows.map((row) => row.map(String))];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
