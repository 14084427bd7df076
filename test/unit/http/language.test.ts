import { languageOf } from '../../../src/http/language';

describe('the language of an answer', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['es', 'es'],
    ['es-MX,es;q=0.9,en;q=0.8', 'es'],
    ['en;q=0.5, es;q=0.7', 'es'],
    ['fr, es;q=0.1', 'es'],
    ['fr-FR, de', 'en'],
    ['es;q=0, en;q=0.1', 'en'],
    ['*', 'en'],
    ['ES', 'es'],
    ['estonian', 'en'],
  ])('asked for by %j is %s', (header, lang) => {
    expect(languageOf(header)).toBe(lang);
  });
});
