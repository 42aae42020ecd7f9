import type { WantedPackage } from '../../scripts/debian/download-packages.ts';

/** A program that is used together with llama-corral in production, and that the tests run. */
export interface TestService {
  readonly name: string;
  readonly wanted: WantedPackage;
  /** The folder that it shares with another program of its package; by default its own name. */
  readonly folder?: string;
  /** The path in the package. */
  readonly program: string;
  /** Arguments that print its version. */
  readonly versionArguments: readonly string[];
  /** Subfolders of the library folder. */
  readonly libraryFolders?: readonly string[];
  /** A folder in the package whose files the program expects beside its executable. */
  readonly neighbours?: string;
}

/** Dependencies for the installation that the programs do not need. */
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

/** Dependencies of Prometheus' web pages, which the tests do not use. */
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

/** Dependencies for a screen, a sound card or a GPU. */
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
