import { existsSync } from 'node:fs';
import { join } from 'node:path';

const oldest = 24;

/**
 * Chooses the Node that runs the sources. `bundled` is the npm package that contains one, for machines whose Node is too old.
 * @param {{ version: string, platform: string, arch: string }} machine
 * @returns {{ isNewEnough: boolean, bundled: string | undefined, problem: string | undefined }}
 */
export function chooseNode({ version, platform, arch }) {
  const isNewEnough = Number(version.split('.')[0]) >= oldest;
  const bundled = platform === 'linux' && ['x64', 'arm64'].includes(arch) ? `node-linux-${arch}` : undefined;
  if (platform !== 'linux' && platform !== 'darwin') {
    return { isNewEnough, bundled, problem: `llama-corral runs on Linux and macOS, not on ${platform}` };
  }
  const problem =
    isNewEnough || bundled
      ? undefined
      : `llama-corral needs Node ${oldest} or newer on ${platform} ${arch}, this is ${version}: see https://nodejs.org`;
  return { isNewEnough, bundled, problem };
}

/**
 * The Node program in this package, or undefined if it is not installed.
 * @param {string} root
 * @param {string | undefined} bundled
 */
export function bundledNode(root, bundled) {
  const file = bundled && join(root, 'node_modules', bundled, 'bin/node');
  return file && existsSync(file) ? file : undefined;
}
