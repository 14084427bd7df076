/** `component validate`: what durable-oauth would say of a component.json. Asks no server and needs no configuration. */
import { createReadStream } from 'node:fs';
import type { Finding } from '../../components/contract';
import { MAX_BYTES } from '../../components/document';
import { readManifest } from '../../components/manifest';
import { DurableOAuthError } from '../../errors';
import type { Print } from './connections';

/**
 * @param file a path; standard input for `-` or none
 * @returns whether the file would be accepted
 * @throws NOT_FOUND when it cannot be read
 */
export async function validate(file: string | undefined, print: Print): Promise<boolean> {
  const { findings, manifest } = readManifest(await textOf(file));
  print(findings, () => findings.map(lineOf).join('\n') || 'nothing to remark');
  return manifest !== undefined;
}

const WORD = { error: 'error  ', warning: 'warning' } as const;

/** The pointer of the whole document is the empty string. */
const lineOf = ({ severity, pointer, message, code }: Finding): string =>
  `${WORD[severity]}  ${pointer || '""'}: ${message} (${code})`;

/** No more of it than is needed to see that it is too large. */
async function textOf(file: string | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of file === undefined || file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk as Buffer);
      size += chunks.at(-1)!.length;
      if (size > MAX_BYTES) break;
    }
  } catch {
    throw new DurableOAuthError('NOT_FOUND', 'The file cannot be read', { file });
  }
  return Buffer.concat(chunks).toString('utf8');
}
