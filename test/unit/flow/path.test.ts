import fc from 'fast-check';
import { path } from '../../../src/flow';

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { type?: string }).type;
  }
};

describe('path', () => {
  it('leaves what the author wrote alone', () => {
    expect(path`/orders`).toBe('/orders');
    expect(path`/orders/${7}/lines/${'a b'}`).toBe('/orders/7/lines/a%20b');
  });

  it('keeps any value in its own segment, and the value comes back whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, two) => {
        fc.pre(![one, two].some((value) => ['', '.', '..'].includes(value)));
        const { pathname, search, hash, origin } = new URL(path`/a/${one}/b/${two}`, 'https://api.test');
        const segments = pathname.split('/');
        expect([origin, search, hash]).toEqual(['https://api.test', '', '']);
        expect(segments.map(decodeURIComponent)).toEqual(['', 'a', one, 'b', two]);
      }),
    );
  });

  it('keeps a value that is only a part of a segment from ending it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        fc.pre(!['.', '..'].includes(value));
        expect(new URL(path`/files/v-${value}.json`, 'https://api.test').pathname.split('/')).toHaveLength(3);
      }),
    );
  });

  it.each(['', '.', '..', '\ud800'])('refuses %j, which would leave its place, with a failure of the flow', (value) => {
    expect(codeOf(() => path`/orders/${value}/ack`)).toBe('SYNTAX_INVALID');
  });

  it.each(['%2e%2e', '..%2f..', '../../token', '\\..\\', '?a=b', '#x', '//evil.test'])('disarms %j', (value) => {
    const url = new URL(path`/orders/${value}/ack`, 'https://api.test');
    expect(url.origin).toBe('https://api.test');
    expect(url.pathname).toMatch(/^\/orders\/[^/]+\/ack$/);
  });
});
