/** `{{VARIABLE}}` in the oauth2 values of a component.json. */
import { DurableOAuthError } from '../errors';

const VARIABLE = /\{\{\s*([^{}\s]+)\s*\}\}/g;

/** The variables a text names, in their order. */
export const variablesIn = (text: string): readonly string[] => [...text.matchAll(VARIABLE)].map(([, name]) => name!);

/** The variable a text consists of, when it is nothing else. */
export function soleVariable(text: string): string | undefined {
  const [name] = variablesIn(text);
  return text.replace(VARIABLE, '').trim() === '' && variablesIn(text).length === 1 ? name : undefined;
}

/**
 * Fill the variables of a text. Values are put in as they are, and not searched for variables again: whoever uses the
 * result as a URL checks it as one a tenant typed.
 * @throws MEMBER_INVALID naming a variable that has no value
 */
export function fillTemplate(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(VARIABLE, (_written, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined) return value;
    throw new DurableOAuthError('MEMBER_INVALID', `The variable ${name} of component.json has no value`, {
      variable: name,
    });
  });
}
