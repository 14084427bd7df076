/** Our workflows, bundled once for a run of Jest and not once for each test file. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';

let bundle: Promise<WorkflowBundle> | undefined;

export const workflowBundle = (): Promise<WorkflowBundle> => (bundle ??= bundledBefore());

/** Two processes that both come first both bundle; the file is whole whoever wrote it. */
async function bundledBefore(): Promise<WorkflowBundle> {
  const folder = process.env.TEST_RUN_FOLDER;
  if (folder === undefined) throw new Error('TEST_RUN_FOLDER is not set: Jest runs without its global setup');
  const file = join(folder, 'workflows.js');
  const code = await readFile(file, 'utf8').catch(() => undefined);
  if (code !== undefined) return { code };
  const made = await bundleWorkflowCode({ workflowsPath: require.resolve('../../workflows') });
  const part = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(part, made.code);
  await rename(part, file);
  return made;
}
