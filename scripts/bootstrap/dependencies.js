/**
 * A package in npm's lock files.
 * @typedef {{ version?: string, integrity?: string, dev?: boolean, devOptional?: boolean, optional?: boolean, link?: boolean }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} LockFile
 */

/**
 * @typedef {object} Situation
 * @property {LockFile} wanted The repository's package-lock.json.
 * @property {LockFile | undefined} installed The lock file in node_modules, which npm writes when an installation is complete.
 * @property {(path: string) => boolean} exists Whether a package's folder exists.
 * @property {boolean} development Whether development tools are needed as well.
 * @property {readonly string[]} [needed] Optional packages that this machine needs.
 */

/**
 * Why the dependencies have to be installed, or undefined if everything matches the lock file. Missing optional packages are
 * ignored: they are for other platforms.
 * @param {Situation} situation
 * @returns {string | undefined}
 */
export function reasonToInstall({ wanted, installed, exists, development, needed = [] }) {
  const present = installed?.packages;
  if (!present) return 'not installed yet, or an installation was interrupted';
  for (const [path, locked] of Object.entries(wanted.packages ?? {})) {
    // Packages in a folder of this repository are linked, not installed.
    if (!path.startsWith('node_modules/') || locked.link) continue;
    if (!development && isForDevelopment(locked)) continue;
    const name = path.replace(/^node_modules\//, '');
    const have = present[path];
    if (!have) {
      if (isOptional(locked) && !needed.includes(name)) continue;
      return `${name} is missing`;
    }
    if (have.version !== locked.version || have.integrity !== locked.integrity) {
      return `${name} is ${have.version}, package-lock.json has ${locked.version}`;
    }
    if (!exists(path)) return `the folder of ${name} is missing`;
  }
  return undefined;
}

/**
 * Whether development tools are installed: an installation without them would remove them.
 * @param {LockFile | undefined} installed
 */
export function hasDevelopmentTools(installed) {
  return Object.values(installed?.packages ?? {}).some((it) => it.dev);
}

/** @param {LockedPackage} locked */
function isForDevelopment({ dev, devOptional }) {
  return dev === true || devOptional === true;
}

/** @param {LockedPackage} locked */
function isOptional({ optional, devOptional }) {
  return optional === true || devOptional === true;
}
