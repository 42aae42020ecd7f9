import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { cacheFolder, projectFolder } from '../../scripts/project-folders.ts';
import type { Engine } from '../../supervisor/engine/installed-engine.ts';
import { buildContext, productionPackages } from './build-context.ts';

/** A folder to look into under the same path, or a file under another. */
export interface Mount {
  readonly from: string;
  readonly to: string;
}

/** What the bases of an image bring along, and what our RUN steps ask for. */
const programs = ['chmod', 'chown', 'env', 'ln', 'mkdir', 'mv', 'prlimit', 'setpriv', 'sh', 'sleep'];
const administration = ['groupadd', 'useradd'];

export interface Parts {
  readonly engine: Engine;
  readonly tini: ProgramCommand;
}

/**
 * Lays out in `root` what the COPY steps of an image and its bases put there, with llama-server at the engine's place and
 * tini at its; answers what is to be mounted besides, to be read only.
 */
export function layOutImage(root: string, { engine, tini }: Parts): Mount[] {
  chmodSync(root, 0o755);
  for (const folder of ['app', 'data', 'dev', 'etc', 'opt/corral', 'proc', 'tmp', 'usr/bin', 'usr/sbin'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const link of ['bin', 'sbin', 'lib', 'lib64']) copyLink(link, root);
  for (const program of programs) copyFileSync(`/usr/bin/${program}`, join(root, 'usr/bin', program));
  for (const program of administration) copyFileSync(`/usr/sbin/${program}`, join(root, 'usr/sbin', program));
  for (const file of ['passwd', 'group', 'login.defs']) copyFileSync(`/etc/${file}`, join(root, 'etc', file));
  writeProgram(join(root, 'usr/bin/tini'), `exec ${line(tini)} "$@"`);
  // Its own grandchild, which nobody waits for, is what the first process is to look after.
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

/** By one program: thousands of small files. */
function copySources(place: string): void {
  const paths = [...buildContext(), ...productionPackages()];
  execFileSync('cp', ['-r', '--parents', ...paths, place], { cwd: projectFolder });
}
