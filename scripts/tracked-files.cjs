const { execFileSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** Paths that exist on one machine, and hosts that serve packages: whoever clones this has others. */
const MACHINE_PATH = /(?<![\w.~$}\-/])\/(?:work|root|tmp|home\/[\w-]+|Users\/[\w-]+)\/[\w.]/;
const REGISTRY_HOST =
  /registry\.npmjs\.org|registry\.yarnpkg\.com|proxy\.golang\.org|sum\.golang\.org|files\.pythonhosted\.org/;

/** @param {string} line @returns {string | undefined} */
function machineTrace(line) {
  const found = MACHINE_PATH.exec(line.replaceAll('file://', '')) ?? REGISTRY_HOST.exec(line);
  return found?.[0];
}

/**
 * @param {string} root
 * @returns {string[]} one line per trace of a machine in a file that git tracks or would track
 */
function trackedFileFindings(root) {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  return String(list)
    .split('\0')
    .filter(Boolean)
    .flatMap((path) => findingsIn(path, textOf(join(root, path))));
}

function findingsIn(path, text) {
  return text.split('\n').flatMap((line, index) => {
    const trace = machineTrace(line);
    return trace ? [`${path}:${index + 1} names ${trace}`] : [];
  });
}

/** Nothing for a binary file, or one that was deleted and not yet committed so. */
function textOf(path) {
  try {
    const content = readFileSync(path);
    return content.includes(0) ? '' : String(content);
  } catch {
    return '';
  }
}

module.exports = { machineTrace, trackedFileFindings };
