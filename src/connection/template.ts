/** `{{VARIABLE}}`s in the oauth2 values of a component.json: filled from its env values and the fields of an integration. */
const VARIABLE = /\{\{\s*([^{}\s]+)\s*\}\}/g;

/** The variables a text names, in their order. */
export const variablesIn = (text: string): readonly string[] =>
  [...text.matchAll(VARIABLE)].map(([, name = '']) => name);

/** The variable a text consists of, when it is nothing else. */
export function soleVariable(text: string): string | undefined {
  const [name, ...more] = variablesIn(text);
  return text.replace(VARIABLE, '').trim() === '' && more.length === 0 ? name : undefined;
}

/**
 * Values are put in as they are, and not searched for variables again: whoever uses the result as a URL checks it as one a
 * tenant typed.
 * @returns the text with every variable that has a value filled in; the others stand as they were
 */
export function fillTemplate(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(VARIABLE, (written, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : written,
  );
}
