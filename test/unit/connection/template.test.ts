import { fillTemplate, soleVariable, variablesIn } from '../../../src/connection/template';

it.each([
  ['https://{{host}}/{{ path }}', { host: 'login.example', path: 'a' }, 'https://login.example/a'],
  ['no variable', {}, 'no variable'],
  ['{{a}}{{a}}', { a: '{{b}}' }, '{{b}}{{b}}'],
  ['{{a}}', { a: "$& $1 $'" }, "$& $1 $'"],
  ['{{a}}', { a: '' }, ''],
  ['{{}} {{a b}} {a}', {}, '{{}} {{a b}} {a}'],
  ['{{known}}/{{toString}}/{{__proto__}}', { known: 'k' }, 'k/{{toString}}/{{__proto__}}'],
])('%j is filled', (text, values, filled) => {
  expect(fillTemplate(text, values as Record<string, string>)).toBe(filled);
});

it('what is left over is named', () => {
  expect(variablesIn('https://{{host}}/{{ path }}')).toEqual(['host', 'path']);
  expect(['{{A}}', ' {{ A }} ', '{{A}}{{B}}', 'x{{A}}', ''].map(soleVariable)).toEqual([
    'A',
    'A',
    undefined,
    undefined,
    undefined,
  ]);
});
