/** A value kept in one JSON file: read at the start, written whole by write-and-rename, at most 50 ms after a change. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const DEBOUNCE_MS = 50;

/** @template T */
export class JsonFile {
  #path;
  #timer;

  /**
   * @param {string} path
   * @param {() => T} initial value of a file that does not exist yet
   */
  constructor(path, initial) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    /** @type {T} */
    this.value = existsSync(path) ? parse(path) : initial();
  }

  /** Says that `value` changed. */
  changed() {
    this.#timer ??= setTimeout(() => this.flush(), DEBOUNCE_MS);
  }

  /** Writes a change that is still owed; on return it survives the end of this process. */
  flush() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const next = `${this.#path}.next`;
    writeFileSync(next, JSON.stringify(this.value), { mode: 0o600 });
    renameSync(next, this.#path);
  }
}

function parse(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new Error(`${path} is not readable JSON. Delete it to start with an empty one.`);
  }
}
