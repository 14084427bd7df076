/** Triggers and actions: what can be called in a component. */
import type { ComponentFunction } from './contract';
import { expectObject, member, membersOf, textAt, type Notes, type Place } from './places';

/** @returns triggers first, as the sailor looks them up */
export function readFunctions(root: Place, notes: Notes): readonly ComponentFunction[] {
  const triggers = functionsIn(member(root, 'triggers'), 'trigger', notes);
  const place = member(root, 'actions');
  const actions = functionsIn(place, 'action', notes);
  const taken = new Set(triggers.map(({ key }) => key));
  for (const { key } of actions.filter((action) => taken.has(action.key)))
    notes.warn('FUNCTION_SHADOWED', member(place, key), 'a trigger of this name is called instead');
  const functions = [...triggers, ...actions];
  if (functions.length === 0) notes.warn('FUNCTION_MISSING', root, 'no trigger and no action: nothing can be called');
  return functions;
}

function functionsIn(place: Place, kind: ComponentFunction['kind'], notes: Notes): ComponentFunction[] {
  return membersOf(place, notes).map(([key, at]) => {
    const main = member(at, 'main');
    if (expectObject(at, notes) && !textAt(main, notes))
      notes.warn('MAIN_MISSING', main, `this ${kind} can be loaded, but not called`);
    const title = textAt(member(at, 'title'), notes);
    return { key, kind, ...(title !== undefined && { title }) };
  });
}
