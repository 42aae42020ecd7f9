import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Settings } from '../settings/variables.ts';
import { resolveDataDir } from './data-dir.ts';

/**
 * A warning if the data folder is in the container itself: without a volume, keys and usage are silently gone with it. Only
 * for our images, in which `NODE_ENV` is `production`; elsewhere the layer of a container may be a workplace that stays.
 */
export function containerLayerWarnings(
  { DATA_DIR, API_KEYS, STORE }: Settings,
  env: Readonly<Record<string, string | undefined>>,
  mounts = readMounts(),
): string[] {
  const dataDir = resolve(resolveDataDir(DATA_DIR));
  if (env.NODE_ENV !== 'production' || !isOnContainerLayer(dataDir, mounts)) return [];
  const lost = [...(API_KEYS === undefined ? ['keys'] : []), 'usage', ...(STORE ? ['the store'] : [])];
  return [
    `DATA_DIR: ${dataDir} is no volume; ${lost.join(', ')} and downloads are lost with this container (docker run -v corral:${dataDir})`,
  ];
}

/** Whether the mount that has the folder is the root of a container. `mounts` is `/proc/self/mountinfo`. */
export function isOnContainerLayer(folder: string, mounts: string): boolean {
  const isAbove = (point: string) => point === '/' || folder === point || folder.startsWith(`${point}/`);
  const [nearest] = mounts
    .split('\n')
    .map(parseMount)
    .filter(({ point }) => point !== '' && isAbove(point))
    // A later mount covers an earlier one at the same place.
    .reverse()
    .sort((a, b) => b.point.length - a.point.length);
  return nearest?.point === '/' && /^(?:fuse-)?overlay/.test(nearest.type);
}

/** Such as `36 35 98:0 / /data rw,noatime shared:1 - ext4 /dev/root rw`. */
function parseMount(line: string): { readonly point: string; readonly type: string } {
  const [place = '', what = ''] = line.split(' - ');
  return { point: place.split(' ')[4] ?? '', type: what.split(' ')[0] ?? '' };
}

/** Empty where there is no such file, as on macOS. */
function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
