import { join } from 'node:path';
import { pythonTool } from './python.mjs';

/** schemathesis, which tries an API against its own OpenAPI document. @returns {Promise<string>} its executable */
export async function installSchemathesis() {
  return join(await pythonTool('schemathesis', '4.32.5'), 'schemathesis');
}
