/** Whether a component takes its OAuth client from the tenant. */
import { kindOf, member, type Notes, type Place } from './places';

export interface ClientSource {
  readonly useOAuthClient: boolean;
  /** With `authClientTypes` the endpoints may be those of the OAuth client. */
  readonly endpointsElsewhere: boolean;
}

/** `useOAuthClient` at top level or inside `credentials` (C4), or its successor `authClientTypes`. */
export function readClientSource(root: Place, credentials: Place, notes: Notes): ClientSource {
  const types = authClientTypes(member(root, 'authClientTypes'), notes);
  const flag = readFlag(root, credentials, notes);
  return {
    useOAuthClient: flag || (types ?? []).some((type) => type.startsWith('oauth2')),
    endpointsElsewhere: types !== undefined,
  };
}

function readFlag(root: Place, credentials: Place, notes: Notes): boolean {
  const top = booleanAt(member(root, 'useOAuthClient'), notes);
  const inside = member(credentials, 'useOAuthClient');
  const second = booleanAt(inside, notes);
  if (top !== undefined && second !== undefined && top !== second)
    notes.error('CONFLICT', inside, 'the top level says the opposite');
  if (top === undefined && second !== undefined)
    notes.warn('MISPLACED', inside, 'elastic.io reads useOAuthClient at the top level: move it there');
  return top ?? second ?? false;
}

function booleanAt(place: Place, notes: Notes): boolean | undefined {
  if (typeof place.value === 'boolean' || place.value === undefined) return place.value;
  notes.error('NOT_A_BOOLEAN', place, `true or false is needed here, not ${kindOf(place.value)}`);
  return undefined;
}

function authClientTypes(place: Place, notes: Notes): string[] | undefined {
  if (Array.isArray(place.value)) return place.value.filter((type) => typeof type === 'string');
  if (place.value !== undefined)
    notes.warn('MEMBER_IGNORED', place, `ignored: an array of strings is expected, not ${kindOf(place.value)}`);
  return undefined;
}
