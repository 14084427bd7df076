import { originsDiffer } from '../../../../src/registry/components/endpoint-origins';
import { oauth2 } from '../builders';

const at = (tokenUri: string, env: Record<string, string> = {}): Parameters<typeof originsDiffer>[0] => ({
  manifest: { oauth2: { ...oauth2('https://as.example'), tokenUri } },
  env,
});

describe('an endpoint', () => {
  it.each([
    ['another path', at('https://as.example/a'), at('https://as.example/b?c=d')],
    ['its default port', at('https://as.example/a'), at('https://AS.example:443/a')],
    ['a variable in the path', at('https://as.example/{{A}}', { A: 'x' }), at('https://as.example/{{A}}', { A: 'y' })],
    ['blanks around it', at('https://as.example/a'), at(' https://as.example/a ')],
    ['a field of the credential', at('https://{{shop}}.as.example/a'), at('https://{{shop}}.as.example/b')],
    ['a variable instead of its value', at('https://as.example/a'), at('{{BASE}}/a', { BASE: 'https://as.example' })],
  ])('with %s has the same origin', (_what, before, after) => {
    expect(originsDiffer(before, after)).toBe(false);
  });

  it.each([
    ['another host', at('https://as.example/a'), at('https://evil.example/a')],
    ['another scheme', at('https://localhost/a'), at('http://localhost/a')],
    ['another port', at('https://as.example/a'), at('https://as.example:444/a')],
    ['user info that looks like the host', at('https://as.example/a'), at('https://as.example@evil.example/a')],
    [
      'a variable of another value',
      at('{{B}}/a', { B: 'https://a.example' }),
      at('{{B}}/a', { B: 'https://b.example' }),
    ],
    ['a variable that has got a value', at('https://{{B}}/a'), at('https://{{B}}/a', { B: 'b.example' })],
    ['another field in its host', at('https://{{shop}}.as.example/a'), at('https://{{shop}}.evil.example/a')],
    ['nothing left of it', at('https://as.example/a'), { manifest: {}, env: {} }],
  ])('with %s has another one', (_what, before, after) => {
    expect(originsDiffer(before, after)).toBe(true);
  });
});
