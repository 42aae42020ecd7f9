/**
 * What npm's lock files say of a package.
 * @typedef {{ version?: string, integrity?: string, dev?: boolean, devOptional?: boolean, optional?: boolean, link?: boolean }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} LockFile
 */

/**
 * @typedef {object} Situation
 * @property {LockFile} wanted The repository's package-lock.json.
 * @property {LockFile | undefined} installed npm's own note in node_modules, written when an installation is complete.
 * @property {(path: string) => boolean} exists Whether a package's folder is there.
 * @property {boolean} development Whether the tools of development are needed too.
 * @property {readonly string[]} [needed] Optional packages that this machine cannot do without.
 */

/**
 * Why the dependencies have to be installed, or undefined where all that is needed stands there as the lock file wants
 * it. Optional packages that are missing do not count: they are those of other platforms.
 * @param {Situation} situation
 * @returns {string | undefined}
 */
export function reasonToInstall({ wanted, installed, exists, development, needed = [] }) {
  const present = installed?.packages;
  if (!present) return 'nothing is installed yet, or an installation was interrupted';
  for (const [path, want] of Object.entries(wanted.packages ?? {})) {
    // Packages in a folder of this repository are linked, not installed.
    if (!path.startsWith('node_modules/') || want.link) continue;
    if (!development && isForDevelopment(want)) continue;
    const name = path.replace(/^node_modules\//, '');
    const have = present[path];
    if (!have) {
      if (isOptional(want) && !needed.includes(name)) continue;
      return `${name} is missing`;
    }
    if (have.version !== want.version || have.integrity !== want.integrity) {
      return `${name} is ${have.version}, not the ${want.version} of the lock file`;
    }
    if (!exists(path)) return `the folder of ${name} is gone`;
  }
  return undefined;
}

/**
 * Whether tools of development are installed: an installation without them would take them away.
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
