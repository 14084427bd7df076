/**
 * JSON with members in order: equal values give equal text.
 * @param keep whether a member belongs to it, by its name
 */
export function canonicalJson(value: unknown, keep: (name: string) => boolean = () => true): string {
  return JSON.stringify(value, (_name, node: unknown) => {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return node;
    const members = Object.entries(node).filter(([name]) => keep(name));
    return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
