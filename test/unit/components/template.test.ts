import { fillTemplate } from '../../../src/components/manifest';

it.each([
  ['https://{{host}}/{{ path }}', { host: 'login.example', path: 'a' }, 'https://login.example/a'],
  ['no variable', {}, 'no variable'],
  ['{{a}}{{a}}', { a: '{{b}}' }, '{{b}}{{b}}'],
  ['{{a}}', { a: "$& $1 $'" }, "$& $1 $'"],
  ['{{a}}', { a: '' }, ''],
  ['{{}} {{a b}} {a}', {}, '{{}} {{a b}} {a}'],
])('%j is filled', (text, values, filled) => {
  expect(fillTemplate(text, values)).toBe(filled);
});

it.each(['prodEnv', 'toString', '__proto__'])('a variable without a value is named: %s', (name) => {
  expect(() => fillTemplate(`{{known}}/{{${name}}}`, { known: 'k' })).toThrow(
    expect.objectContaining({ code: 'MEMBER_INVALID', coordinates: { variable: name } }),
  );
});
