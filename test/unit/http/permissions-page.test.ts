/** docs/permissions.md shows the matrix of src/http/access/roles.ts. `UPDATE_DOCS=on` writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PERMISSIONS } from '../../../src/http/access/permissions';
import { permissionsOf, ROLE_NAMES, ROLES } from '../../../src/http/access/roles';

const PAGE = join(__dirname, '../../../docs/permissions.md');
const PLACE = /(?<=<!-- roles -->).*(?=<!-- \/roles -->)/s;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;

const matrix = [
  '\n\n',
  row(['Role', 'For']),
  row(['---', '---']),
  ...ROLE_NAMES.map((role) => row([`\`${role}\``, ROLES[role].meaning])),
  '\n',
  row(['Permission', ...ROLE_NAMES]),
  row(['---', ...ROLE_NAMES.map(() => ':-:')]),
  ...PERMISSIONS.map((permission) =>
    row([`\`${permission}\``, ...ROLE_NAMES.map((role) => (permissionsOf(role).includes(permission) ? '✓' : ''))]),
  ),
  '\n',
].join('');

/** Formatting aligns the columns of a table. */
const words = (text: string): string => text.replace(/-{2,}/g, '-').replace(/\s+/g, ' ');

it('the page shows the matrix', () => {
  const page = readFileSync(PAGE, 'utf8');
  if (process.env['UPDATE_DOCS'] === 'on') writeFileSync(PAGE, page.replace(PLACE, matrix));
  expect(words(PLACE.exec(readFileSync(PAGE, 'utf8'))?.[0] ?? '')).toBe(words(matrix));
});
