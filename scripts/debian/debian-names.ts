import { join } from 'node:path';

export interface DebianNames {
  readonly architecture: string;
  /** The folder of the architecture's libraries below `usr/lib`. */
  readonly triplet: string;
  /** The loader of the C library, which starts a program with the C library that it was built for. */
  readonly loader: string;
}

const debianNames: Readonly<Record<string, DebianNames>> = {
  x64: { architecture: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'usr/lib64/ld-linux-x86-64.so.2' },
  arm64: { architecture: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'usr/lib/ld-linux-aarch64.so.1' },
};

/** Debian's names for Node's processor name `arch`; undefined for processors that we do not support. */
export function getDebianNames(arch: string): DebianNames | undefined {
  return debianNames[arch];
}

export function libraryFolder(prefix: string, { triplet }: DebianNames): string {
  return join(prefix, 'usr/lib', triplet);
}

/** A command, and the arguments that precede its own. */
export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * How to start a program that was unpacked into `prefix`: with the loader from its own packages. `folders` are
 * library folders below the common one.
 */
export function commandFor(
  prefix: string,
  program: string,
  names: DebianNames,
  folders: readonly string[] = [],
): ProgramCommand {
  const libraries = libraryFolder(prefix, names);
  const path = [libraries, ...folders.map((folder) => join(libraries, folder))].join(':');
  return { command: join(prefix, names.loader), args: ['--library-path', path, join(prefix, program)] };
}
