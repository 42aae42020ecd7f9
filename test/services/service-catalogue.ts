import type { WantedPackage } from '../../scripts/debian/download-packages.ts';

/** A program of others that llama-corral meets in the field, and that its tests run for real. */
export interface TestService {
  readonly name: string;
  readonly wanted: WantedPackage;
  /** The folder that it shares with another program of its package; one under its own name otherwise. */
  readonly folder?: string;
  /** Below the root of the package. */
  readonly program: string;
  /** Arguments with which it says its version and ends. */
  readonly versionArguments: readonly string[];
  /** Folders of its libraries below the common one. */
  readonly libraryFolders?: readonly string[];
  /** A folder, below the root of the package, whose files it looks for beside the running executable. */
  readonly neighbours?: string;
}

/** What packages need in order to be installed, and a program of theirs never runs. */
const installersOnly = ['adduser', 'debconf', 'init-system-helpers', 'logrotate', 'procps', 'sysvinit-utils'];

export const redisServer: TestService = {
  name: 'redis-server',
  wanted: { name: 'redis-server', suites: ['forky', 'trixie', 'bookworm'], assumedInstalled: installersOnly },
  program: 'usr/bin/redis-server',
  versionArguments: ['--version'],
};

export const nginx: TestService = {
  name: 'nginx',
  wanted: {
    name: 'nginx',
    suites: ['forky', 'trixie', 'bookworm'],
    assumedInstalled: [...installersOnly, 'iproute2', 'libcrypt1', 'lsb-base'],
  },
  program: 'usr/sbin/nginx',
  versionArguments: ['-v'],
};

export const haproxy: TestService = {
  name: 'haproxy',
  wanted: { name: 'haproxy', suites: ['forky', 'trixie', 'bookworm'], assumedInstalled: installersOnly },
  program: 'usr/sbin/haproxy',
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

export const promtool: TestService = {
  name: 'promtool',
  wanted: {
    name: 'prometheus',
    suites: ['forky', 'trixie', 'bookworm'],
    assumedInstalled: [...installersOnly, ...pagesOnly],
  },
  program: 'usr/bin/promtool',
  versionArguments: ['--version'],
};

export const prometheus: TestService = {
  ...promtool,
  name: 'prometheus',
  folder: promtool.name,
  program: 'usr/bin/prometheus',
};

/** What it would load were there a screen, a sound card or a GPU. */
const screenOnly = ['libgl1-mesa-dri', 'libllvm19', 'libllvm21', 'libllvm22', 'x11-utils', 'xdg-utils'];

export const chromium: TestService = {
  name: 'chromium',
  wanted: {
    name: 'chromium-headless-shell',
    suites: ['forky', 'trixie'],
    assumedInstalled: [...installersOnly, ...screenOnly, 'dbus', 'shared-mime-info', 'systemd'],
  },
  program: 'usr/lib/chromium/chromium-headless-shell',
  versionArguments: ['--version'],
  libraryFolders: ['pulseaudio'],
  neighbours: 'usr/lib/chromium',
};

/** Renders Go's templates with sprig, as Helm does. */
export const chezmoi: TestService = {
  name: 'chezmoi',
  wanted: { name: 'chezmoi', suites: ['forky'], assumedInstalled: [] },
  program: 'usr/bin/chezmoi',
  versionArguments: ['--version'],
};

export const tini: TestService = {
  name: 'tini',
  wanted: { name: 'tini', suites: ['forky', 'trixie', 'bookworm'], assumedInstalled: installersOnly },
  program: 'usr/bin/tini',
  versionArguments: ['--version'],
};
