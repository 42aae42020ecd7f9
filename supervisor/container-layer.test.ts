import { expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { containerLayerWarnings, isOnContainerLayer } from './container-layer.ts';

const root = (type: string) => `100 1 0:50 / / rw,relatime - ${type} ${type} rw,lowerdir=/var/lib/docker`;
const volume =
  '120 100 8:1 /var/lib/docker/volumes/corral/_data /data rw,relatime master:1 - ext4 /dev/sda1 rw';

it.each([
  ['no volume', [root('overlay')], true],
  ['no volume, by Podman', [root('fuse-overlayfs')], true],
  ['a volume', [root('overlay'), volume], false],
  ['a volume beside it', [root('overlay'), volume.replace('/data', '/data-of-others')], true],
  ['a volume below it', [root('overlay'), volume.replace('/data', '/data/models')], true],
  ['no container', [root('ext4')], false],
  ['unknown mounts', [''], false],
])('knows whether /data is lost with the container, with %s', (_, mounts, isLost) => {
  expect(isOnContainerLayer('/data', mounts.join('\n'))).toBe(isLost);
});

it('warns in an image, and says what is lost', () => {
  const warnings = (env: Record<string, string>) => {
    const all: Record<string, string> = { DATA_DIR: '/data', ...env };
    return containerLayerWarnings(readSettings(all).settings, all, root('overlay'));
  };
  expect(warnings({ NODE_ENV: 'production' })).toEqual([
    'DATA_DIR: /data is no volume; keys, usage and downloads are lost with this container (docker run -v corral:/data)',
  ]);
  expect(warnings({})).toEqual([]);
});
