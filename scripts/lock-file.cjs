/**
 * What is wrong with a package-lock.json, one line per finding.
 *
 * npm drops platform packages that the registry lacks at that moment without a word; `npm ci` then refuses, and the other
 * platforms would lack their binary.
 *
 * @param {{ packages: Record<string, any> }} lock
 * @param {Record<string, any>} manifest package.json
 * @returns {string[]}
 */
function lockFileFindings(lock, manifest) {
  const findings = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (entry.resolved !== undefined && !entry.link) findings.push(`${path} carries a download address`);
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!resolves(lock, path, name)) findings.push(`${path || 'package.json'} lacks its optional dependency ${name}`);
    }
  }
  for (const kind of ['dependencies', 'devDependencies', 'peerDependencies']) {
    const wanted = manifest[kind] ?? {};
    const locked = lock.packages['']?.[kind] ?? {};
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(locked)])) {
      if (wanted[name] !== locked[name])
        findings.push(`${kind} ${name}: ${wanted[name]} in package.json, ${locked[name]} here`);
    }
  }
  return findings;
}

/** As Node looks a package up: in the folder of the one that asks, then in every folder above it. */
function resolves(lock, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    if (lock.packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

module.exports = { lockFileFindings };
