import type { WantedPackage } from '../debian/download-packages.ts';

/** A program of others that llama-corral meets in the field, and that its tests run for real. */
export interface Peer {
  readonly name: string;
  readonly wanted: WantedPackage;
  /** Below the root of the package. */
  readonly program: string;
  /** Arguments with which it says its version and ends. */
  readonly versionArguments: readonly string[];
}

/** What packages need in order to be installed, and a program of theirs never runs. */
const installersOnly = ['adduser', 'debconf', 'init-system-helpers', 'logrotate', 'procps', 'sysvinit-utils'];

export const redisServer: Peer = {
  name: 'redis-server',
  wanted: { name: 'redis-server', suites: ['forky', 'trixie', 'bookworm'], presumed: installersOnly },
  program: 'usr/bin/redis-server',
  versionArguments: ['--version'],
};

export const nginx: Peer = {
  name: 'nginx',
  wanted: {
    name: 'nginx',
    suites: ['forky', 'trixie', 'bookworm'],
    presumed: [...installersOnly, 'iproute2', 'libcrypt1', 'lsb-base'],
  },
  program: 'usr/sbin/nginx',
  versionArguments: ['-v'],
};

/** What prometheus' own pages are made of, which promtool does not show. */
const pagesOnly = [
  'fonts-glyphicons-halflings',
  'libjs-bootstrap4',
  'libjs-eonasdan-bootstrap-datetimepicker',
  'libjs-jquery',
  'libjs-jquery-hotkeys',
  'libjs-moment',
  'libjs-moment-timezone',
  'libjs-mustache',
  'libjs-popper.js',
  'libjs-rickshaw',
];

export const promtool: Peer = {
  name: 'promtool',
  wanted: {
    name: 'prometheus',
    suites: ['forky', 'trixie', 'bookworm'],
    presumed: [...installersOnly, ...pagesOnly],
  },
  program: 'usr/bin/promtool',
  versionArguments: ['--version'],
};
