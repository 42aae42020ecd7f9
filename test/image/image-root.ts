import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { cacheFolder, projectFolder } from '../../scripts/project-folders.ts';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import { buildContext, productionPackages } from './build-context.ts';

export interface Mount {
  readonly from: string;
  readonly to: string;
}

/** Programs of the base images that the RUN steps and the entrypoint use. */
const programs = ['chmod', 'chown', 'env', 'ln', 'mkdir', 'mv', 'prlimit', 'setpriv', 'sh', 'sleep'];
const administration = ['groupadd', 'useradd'];

export interface ImagePrograms {
  readonly engine: InstalledEngine;
  readonly tini: ProgramCommand;
}

/**
 * Creates in `root` the files of an image: of its COPY steps and of its base images, with llama-server and tini in their
 * places. Returns what must be mounted read-only in addition.
 */
export function createImageRoot(root: string, { engine, tini }: ImagePrograms): Mount[] {
  chmodSync(root, 0o755);
  for (const folder of ['app', 'data', 'dev', 'etc', 'opt/corral', 'proc', 'tmp', 'usr/bin', 'usr/sbin'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const link of ['bin', 'sbin', 'lib', 'lib64']) copyLink(link, root);
  for (const program of programs) copyFileSync(`/usr/bin/${program}`, join(root, 'usr/bin', program));
  for (const program of administration) copyFileSync(`/usr/sbin/${program}`, join(root, 'usr/sbin', program));
  for (const file of ['passwd', 'group', 'login.defs']) copyFileSync(`/etc/${file}`, join(root, 'etc', file));
  writeProgram(join(root, 'usr/bin/tini'), `exec ${line(tini)} "$@"`);
  // It has an orphaned child, which the first process must reap.
  writeProgram(join(root, 'app/llama-server'), `(sleep 1000 &)\nexec ${line(engine)} "$@"`);
  copySources(join(root, 'opt/corral'));
  return [
    ...['/usr/lib', '/usr/lib64'].map(same),
    ...[cacheFolder, dirname(engine.command), dirname(tini.command)].map(same),
    { from: process.execPath, to: '/usr/local/bin/node' },
    { from: '/dev/null', to: '/dev/null' },
    { from: '/dev/urandom', to: '/dev/urandom' },
  ];
}

const same = (path: string): Mount => ({ from: path, to: path });

const line = ({ command, args }: ProgramCommand) => [command, ...args].join(' ');

function copyLink(name: string, root: string): void {
  symlinkSync(readlinkSync(`/${name}`), join(root, name));
}

function writeProgram(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

/** Uses cp, because there are thousands of small files. */
function copySources(target: string): void {
  const paths = [...buildContext(), ...productionPackages()];
  execFileSync('cp', ['-r', '--parents', ...paths, target], { cwd: projectFolder });
}
