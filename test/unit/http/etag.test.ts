import { etagOf, requireMatch } from '../../../src/http/etag';

const current = { type: 'connection', id: 'cn_1', attributes: { label: 'Shop', scope: 'read' } };
const change = (header?: string) => () => requireMatch({ headers: { 'if-match': header } }, current);

it('a tag is strong, of the representation alone, whatever the order of its members', () => {
  expect(etagOf(current)).toMatch(/^"[\w-]{22}"$/);
  expect(
    etagOf({ attributes: { scope: 'read', label: 'Shop', gone: undefined }, id: 'cn_1', type: 'connection' }),
  ).toBe(etagOf(current));
  expect(etagOf({ ...current, attributes: { ...current.attributes, label: 'Shop 2' } })).not.toBe(etagOf(current));
});

it.each([
  [undefined, false],
  ['*', false],
  [etagOf(current), true],
  [`"other", ${etagOf(current)}`, true],
])('a change with If-Match %s goes on; whether it is of this representation alone: %s', (header, named) =>
  expect(change(header)()).toBe(named),
);

it.each(['"other"', `W/${etagOf(current)}`, etagOf(current).slice(1, -1), ''])(
  'a change with If-Match %s is refused: the comparison is strong',
  (header) => expect(change(header)).toThrow(expect.objectContaining({ code: 'PRECONDITION_FAILED' })),
);
