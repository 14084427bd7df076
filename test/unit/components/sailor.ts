/** The reader that elastic.io runs components with. */
import { relative } from 'node:path';
import type { Manifest } from '../../../src/components/manifest';

interface ComponentReader {
  init(componentPath: string): PromiseLike<void>;
  findTriggerOrActionDefinition(name: string): object;
}

const { ComponentReader } = jest.requireActual<{ ComponentReader: new () => ComponentReader }>(
  'elasticio-sailor-nodejs/lib/component_reader.js',
);

/** @returns why the sailor refuses the component.json of a folder, or one of these functions; undefined: it does not */
export async function sailorRefusal(
  folder: string,
  functions: readonly Pick<Manifest['functions'][number], 'key'>[],
): Promise<string | undefined> {
  const reader = new ComponentReader();
  try {
    await reader.init(relative(process.cwd(), folder));
    for (const { key } of functions) reader.findTriggerOrActionDefinition(key);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
