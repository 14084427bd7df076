/** The variables a component declares: `envVars`, or `env` as older files spell it. */
import type { EnvVar } from './contract';
import { expectObject, kindOf, member, membersOf, textAt, type Notes, type Place } from './places';

/** @returns by name; a variable in both is as `envVars` has it */
export function readEnvVars(root: Place, notes: Notes): Readonly<Record<string, EnvVar>> {
  const older = member(root, 'env');
  const fromEnv = Array.isArray(older.value) ? namesIn(older, older.value, notes) : declarationsIn(older, notes);
  return Object.fromEntries([...fromEnv, ...declarationsIn(member(root, 'envVars'), notes)]);
}

function namesIn({ pointer }: Place, names: readonly unknown[], notes: Notes): [string, EnvVar][] {
  return names.flatMap((value, index): [string, EnvVar][] => {
    const name = textAt({ value, pointer: `${pointer}/${index}` }, notes);
    return name === undefined ? [] : [[name, { required: false }]];
  });
}

function declarationsIn(place: Place, notes: Notes): [string, EnvVar][] {
  return membersOf(place, notes).map(([name, at]) => {
    expectObject(at, notes);
    return [name, { required: isRequired(member(at, 'required'), notes), ...described(at, notes) }];
  });
}

function described(at: Place, notes: Notes): Pick<EnvVar, 'description'> {
  const description = textAt(member(at, 'description'), notes);
  return description === undefined ? {} : { description };
}

function isRequired(place: Place, notes: Notes): boolean {
  if (typeof place.value === 'boolean') return place.value;
  if (place.value !== undefined)
    notes.warn('MEMBER_IGNORED', place, `ignored: true or false is expected, not ${kindOf(place.value)}`);
  return false;
}
