import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where this package lies: its assets are beside `src` and beside `dist`. */
export function packageFolder(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
