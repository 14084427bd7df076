/** The members of `oauth2`, which may stand at top level, inside `credentials`, or partly in each (C4). */
import type { OAuth2 } from './contract';
import { isObject, kindOf, member, membersOf, textAt, type Notes, type Place } from './places';

export interface OAuth2Members {
  /** Where a member stands, or would. */
  at(name: string): Place;
  readonly all: readonly (readonly [name: string, at: Place])[];
  readonly pointer: string;
}

/** @returns undefined without any such block */
export function oauth2Members(root: Place, credentials: Place, notes: Notes): OAuth2Members | undefined {
  const blocks = [member(root, 'oauth2'), member(credentials, 'oauth2')].filter(({ value }) => value !== undefined);
  const [first] = blocks;
  if (first === undefined) return undefined;
  const all = new Map<string, Place>();
  for (const [name, at] of blocks.flatMap((block) => membersOf(block, notes))) {
    const known = all.get(name);
    if (known === undefined) all.set(name, at);
    else if (!isSame(known.value, at.value)) notes.error('CONFLICT', at, `${known.pointer} says something else`);
  }
  return { at: (name) => all.get(name) ?? member(first, name), all: [...all], pointer: first.pointer };
}

/** As far as values count: what is nested deeper is used nowhere. */
function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => isSameItem(item, other[index]));
  return isSameItem(one, other);
}

const isSameItem = (one: unknown, other: unknown): boolean => one === other || (isObject(one) && isObject(other));

/** One of the strings that must be some: empty when absent, an error when anything else. */
export function stringAt(place: Place, notes: Notes): string {
  if (typeof place.value === 'string') return place.value;
  if (place.value !== undefined)
    notes.error('NOT_A_STRING', place, `a string is needed here, not ${kindOf(place.value)}`);
  return '';
}

export function readScopes(place: Place, notes: Notes): readonly string[] {
  const { value, pointer } = place;
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => textAt({ value: item, pointer: `${pointer}/${index}` }, notes) ?? []);
  }
  if (value !== undefined) notes.warn('MEMBER_IGNORED', place, 'ignored: an array of strings is expected');
  return [];
}

const CLIENT_AUTH: Readonly<Record<string, OAuth2['clientAuth']>> = {
  basic: 'client_secret_basic',
  client_secret_basic: 'client_secret_basic',
  client_secret_post: 'client_secret_post',
};

/** elastic.io knows "basic"; without it the client's credentials are sent in the body. */
export function readClientAuth(place: Place, notes: Notes): OAuth2['clientAuth'] {
  const { value } = place;
  if (value === undefined) return 'client_secret_post';
  if (typeof value === 'string' && Object.hasOwn(CLIENT_AUTH, value)) return CLIENT_AUTH[value]!;
  notes.warn('CLIENT_AUTH_UNKNOWN', place, 'not "basic", thus the client authenticates in the body of its requests');
  return 'client_secret_post';
}

const READ = ['client_id', 'client_secret', 'auth_uri', 'token_uri', 'scopes', 'client_auth'];

/** Ours to set; a request object would even replace all others (RFC 9101). */
const RESERVED = [
  'response_type',
  'response_mode',
  'redirect_uri',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
];

/** Whatever else the block holds goes to the authorization request. */
export function readAuthorizationParams({ all }: OAuth2Members, notes: Notes): Readonly<Record<string, string>> {
  return Object.fromEntries(
    all.flatMap(([name, at]): [string, string][] => {
      if (READ.includes(name)) return [];
      if (RESERVED.includes(name)) {
        notes.warn('PARAMETER_RESERVED', at, 'ignored: durable-oauth sets this parameter itself');
        return [];
      }
      const { value } = at;
      const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : textAt(at, notes);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}
