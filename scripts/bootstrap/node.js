import { existsSync } from 'node:fs';
import { join } from 'node:path';

const oldest = 24;

/**
 * Which Node runs the sources. `carried` is the package that holds one, for machines whose own is too old.
 * @param {{ version: string, platform: string, arch: string }} machine
 * @returns {{ isNewEnough: boolean, carried: string | undefined, problem: string | undefined }}
 */
export function chooseNode({ version, platform, arch }) {
  const isNewEnough = Number(version.split('.')[0]) >= oldest;
  const carried = platform === 'linux' && ['x64', 'arm64'].includes(arch) ? `node-linux-${arch}` : undefined;
  if (platform !== 'linux' && platform !== 'darwin') {
    return { isNewEnough, carried, problem: `llama-corral runs on Linux and macOS, not on ${platform}` };
  }
  const problem =
    isNewEnough || carried
      ? undefined
      : `llama-corral needs Node ${oldest} or newer on ${platform} ${arch}, this is ${version}: see https://nodejs.org`;
  return { isNewEnough, carried, problem };
}

/**
 * The Node program of the carried package, or undefined where it is not installed.
 * @param {string} root
 * @param {string | undefined} carried
 */
export function carriedNode(root, carried) {
  const file = carried && join(root, 'node_modules', carried, 'bin/node');
  return file && existsSync(file) ? file : undefined;
}
