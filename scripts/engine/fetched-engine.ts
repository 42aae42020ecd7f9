import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Engine } from '../../supervisor/engine.ts';

export interface DebianNames {
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

/** Where the fetched engine of this kind of machine stands. */
export function placeOf(cache: string, { architecture }: DebianNames): string {
  return join(resolve(cache), 'engine', `debian-${architecture}`);
}

/**
 * The engine that was fetched before. It is there whole or not at all, and was seen running when it was fetched, so that
 * a start has only to look.
 */
export async function findFetchedEngine(
  cache: string,
  arch: string = process.arch,
): Promise<Engine | undefined> {
  const names = debianNamesOf(arch);
  if (!names) return undefined;
  const engine = fetchedEngine(placeOf(cache, names), names);
  const isThere = access(engine.command, constants.X_OK);
  return isThere.then(
    () => engine,
    () => undefined,
  );
}
