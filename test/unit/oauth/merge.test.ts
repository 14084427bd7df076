import type { TokenAnswer } from '../../../src/oauth/contract';
import { mergeTokenSet } from '../../../src/oauth/merge';
import { Secret, type TokenSet } from '../../../src/vault/secret';

const answer = (change: Partial<TokenAnswer> = {}): TokenAnswer => ({
  accessToken: new Secret('access-2'),
  tokenType: 'Bearer',
  issuedAt: '2026-11-20T11:00:00.000Z',
  receivedAt: '2026-11-20T11:00:01.000Z',
  expiresAt: '2026-11-20T12:00:00.000Z',
  lifetimeSeconds: 3600,
  warnings: [],
  ...change,
});

const previous: TokenSet = {
  kind: 'token_set',
  accessToken: new Secret('access-1'),
  refreshToken: new Secret('refresh-1'),
  tokenType: 'Bearer',
  scope: 'read write',
  issuedAt: '2026-11-20T10:00:00.000Z',
  receivedAt: '2026-11-20T10:00:01.000Z',
  expiresAt: '2026-11-20T11:00:00.000Z',
  lifetimeSeconds: 3600,
  account: { id: 'u1', label: 'ann@example.com' },
  grantedAt: '2026-01-01T00:00:00.000Z',
  audience: ['https://login.example.com'],
};

it('an answer without refresh token keeps the old one', () => {
  const next = mergeTokenSet(previous, answer(), previous.scope);
  expect(next.refreshToken?.reveal()).toBe('refresh-1');
  expect(next.accessToken.reveal()).toBe('access-2');
});

it('a new refresh token replaces the old one', () => {
  const next = mergeTokenSet(previous, answer({ refreshToken: new Secret('refresh-2') }), previous.scope);
  expect(next.refreshToken?.reveal()).toBe('refresh-2');
});

it('a narrower scope is taken over, a wider one is not trusted, a missing one is the one that was asked', () => {
  expect(mergeTokenSet(previous, answer({ scope: 'read' }), previous.scope).scope).toBe('read');
  expect(mergeTokenSet(previous, answer({ scope: 'read write admin' }), previous.scope).scope).toBe('read write');
  expect(mergeTokenSet(previous, answer(), previous.scope).scope).toBe('read write');
});

it('account, consent and audience belong to the grant; the times are those of the answer', () => {
  const next = mergeTokenSet(previous, answer({ account: { id: 'u2', label: 'bob' } }), previous.scope);
  const { account, grantedAt, audience } = previous;
  expect(next).toMatchObject({ account, grantedAt, audience });
  expect(next).toMatchObject({ issuedAt: answer().issuedAt, expiresAt: answer().expiresAt, lifetimeSeconds: 3600 });
});

it('the first answer of a grant says when it was granted and to whom', () => {
  const account = { id: 'u1', label: 'ann' };
  const first = mergeTokenSet(undefined, answer({ account, scope: 'read' }), 'read write');
  expect(first).toMatchObject({ account, grantedAt: answer().receivedAt, scope: 'read' });
  expect(first.refreshToken).toBeUndefined();
});

it('merging changes nothing that was there', () => {
  const before = JSON.stringify(previous);
  mergeTokenSet(Object.freeze(previous), Object.freeze(answer()), '');
  expect(JSON.stringify(previous)).toBe(before);
});
