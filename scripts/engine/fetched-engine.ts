import { join } from 'node:path';
import { execa } from 'execa';
import type { Engine } from '../../supervisor/engine.ts';

interface DebianNames {
  readonly architecture: string;
  /** Where the architecture's libraries are, below `usr/lib`. */
  readonly triplet: string;
  /** The C library's loader, which starts the program with the C library that it was built for. */
  readonly loader: string;
}

const debianNames: Readonly<Record<string, DebianNames>> = {
  x64: { architecture: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'usr/lib64/ld-linux-x86-64.so.2' },
  arm64: { architecture: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'usr/lib/ld-linux-aarch64.so.1' },
};

/** What Debian calls things on a processor of Node's name `arch`; undefined where it builds no llama-server for us. */
export function debianNamesOf(arch: string): DebianNames | undefined {
  return debianNames[arch];
}

export function librariesOf(prefix: string, { triplet }: DebianNames): string {
  return join(prefix, 'usr/lib', triplet);
}

/** How the llama-server that was unpacked into `prefix` is started: through the loader that came with it. */
export function fetchedEngine(prefix: string, names: DebianNames): Engine {
  const libraries = librariesOf(prefix, names);
  return {
    command: join(prefix, names.loader),
    args: [
      '--library-path',
      `${libraries}:${join(libraries, 'llama')}`,
      join(prefix, 'usr/bin/llama-server'),
    ],
    origin: 'fetched',
  };
}

/** The words after `version:` that an engine says of itself; throws where it does not run or says nothing of it. */
export async function askVersion({ command, args }: Engine): Promise<string> {
  const { all } = await execa(command, [...args, '--version'], {
    all: true,
    stdin: 'ignore',
    timeout: 20_000,
    extendEnv: false,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH },
  });
  const version = /^version:?\s+(.+)/m.exec(all)?.[1];
  if (version === undefined)
    throw new Error(`${command} --version did not tell its version: ${all.slice(0, 200)}`);
  return version.trim();
}
