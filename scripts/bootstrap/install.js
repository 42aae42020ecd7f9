import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { hasDevelopmentTools, reasonToInstall } from './dependencies.js';
import { endLike, run } from './run.js';

/**
 * Installs the dependencies if they are missing or differ from the lock file.
 * @param {{ root: string, development: boolean, needed: readonly string[] }} options
 */
export async function installDependencies({ root, development, needed }) {
  const wanted = readLock(join(root, 'package-lock.json'));
  if (!wanted) fail(`${join(root, 'package-lock.json')} is missing: is this checkout complete?`);
  const installed = readLock(join(root, 'node_modules/.package-lock.json'));
  const exists = (/** @type {string} */ path) => existsSync(join(root, path));
  const reason = reasonToInstall({ wanted, installed, exists, development, needed });
  if (!reason) return;
  const started = Date.now();
  console.error(`installing dependencies (${reason})`);
  await npm(root, development || hasDevelopmentTools(installed) ? '--include=dev' : '--omit=dev');
  console.error(`dependencies installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/**
 * @param {string} root
 * @param {string} scope
 */
async function npm(root, scope) {
  const args = ['ci', scope, '--no-audit', '--no-fund', '--loglevel=error', '--progress'];
  const cli = process.env.npm_execpath;
  const [command, before] = cli && /\.c?js$/.test(cli) ? [process.execPath, [cli]] : ['npm', []];
  const env = { ...process.env, ...ownCache(root) };
  const result = await run(command, [...before, ...args], { cwd: root, env, toStderr: true }).catch((error) =>
    fail(`cannot start npm (${error.code}): install npm`),
  );
  if (result.signal || result.wasSignalled) endLike(result);
  if (result.code !== 0) fail('npm ci failed (see above); the next start will try again');
}

/**
 * npm caches downloads in the user's home directory. If that is not writable, this chooses a cache in the project, because npm's
 * own error is misleading.
 * @param {string} root
 * @returns {{ npm_config_cache?: string }}
 */
function ownCache(root) {
  const chosen = process.env.npm_config_cache ?? join(homedir(), '.npm');
  return canWrite(chosen) || (!existsSync(chosen) && canWrite(dirname(chosen)))
    ? {}
    : { npm_config_cache: join(root, '.cache/npm') };
}

/** @param {string} folder */
function canWrite(folder) {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {string} file
 * @returns {import('./dependencies.js').LockFile | undefined}
 */
function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
