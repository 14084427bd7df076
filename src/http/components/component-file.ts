/** An uploaded component.json: as text, and as a manifest, or as problems that point into it. */
import { readManifest, type Finding } from '../../components/manifest';
import type { ManifestFacts } from '../../registry/contract-platform';
import { ProblemError, type Problem } from '../problem';

const FILE = '/data/attributes/file';

/** Each request that carries a component.json; as JSON text within JSON it grows by what is escaped. */
export const FILE_BODY_LIMIT = 1.5 * 1024 * 1024;

export interface ReadFile {
  readonly file: string;
  readonly manifest: ManifestFacts;
  readonly warnings: readonly { readonly code: string; readonly detail: string; readonly pointer: string }[];
}

/**
 * A client secret in the file is an error here: what is uploaded is kept as it is, in a registry that holds no secret.
 * @throws ProblemError with one problem for each error
 */
export function readFile(given: string | Readonly<Record<string, unknown>>): ReadFile {
  const file = typeof given === 'string' ? given : toText(given);
  const { findings, manifest } = readManifest(file);
  const errors = findings.filter(({ severity, code }) => severity === 'error' || code === 'SECRET_IN_FILE');
  if (manifest === undefined || errors.length > 0) throw new ProblemError(errors.map(toProblem));
  if (!isStorable(manifest)) throw refused('A name or text in it has characters that cannot be stored');
  const warnings = findings.map(({ code, message, pointer }) => ({ code, detail: message, pointer: FILE + pointer }));
  return { file, manifest, warnings };
}

const toProblem = ({ code, message, pointer }: Finding): Problem => ({
  code: 'MEMBER_INVALID',
  detail: message,
  pointer: FILE + pointer,
  meta: { finding: code },
});

const refused = (detail: string): ProblemError => new ProblemError([{ code: 'MEMBER_INVALID', detail, pointer: FILE }]);

function toText(file: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(file);
  } catch {
    // What a parser without recursion takes, may be too deep for the writer.
    throw refused('It is nested too deeply');
  }
}

/** No database takes NUL or half a character in JSON. */
const isStorable = (manifest: ManifestFacts): boolean =>
  !/\\u(0000|d[89a-f])/.test(JSON.stringify(manifest).replaceAll('\\\\', ''));
