import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorsPage } from '../../../scripts/errors-page.cjs';
import { ERRORS } from '../../../src/errors';

it('docs/errors.md says what src/errors.ts says; after a change there run `npm run contract`', () => {
  const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'errors.md'), 'utf8');
  expect(page).toBe(errorsPage(ERRORS));
  for (const code of Object.keys(ERRORS)) expect(page).toContain(`| \`${code}\` |`);
});
