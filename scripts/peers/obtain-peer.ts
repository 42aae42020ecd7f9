import { access, constants, readdir, symlink } from 'node:fs/promises';
import { delimiter, join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import {
  type DebianNames,
  debianNamesOf,
  librariesOf,
  type Started,
  startedFrom,
} from '../debian/debian-names.ts';
import { NotToBeHad } from '../debian/not-to-be-had.ts';
import { unpackPackage } from '../debian/unpack-package.ts';
import type { Peer } from './peers.ts';

export interface Surroundings {
  /** The folder that holds what can be had again, `.cache`. */
  readonly cache: string;
  /** The value of `PATH`. */
  readonly searchPath: string | undefined;
  readonly onProgress?: (text: string) => void;
  /** apt's folder. */
  readonly etc?: string;
}

/** The peer of this machine, else the one fetched before, else one fetched from Debian's archive. Throws NotToBeHad. */
export async function obtainPeer(peer: Peer, surroundings: Surroundings): Promise<Started> {
  const { cache, searchPath = '', onProgress = () => {}, etc = '/etc/apt' } = surroundings;
  const installed = await installedPeer(peer, searchPath);
  if (installed) return installed;
  const names = debianNamesOf(process.arch);
  if (process.platform !== 'linux' || !names)
    throw new NotToBeHad(`Debian has no ${peer.name} for ${process.platform} on ${process.arch}`);
  const place = join(resolve(cache), 'peers', peer.folder ?? peer.name);
  const fetched = startedPeer(place, peer, names);
  if (await isThere(fetched.command)) return fetched;
  const tryOut = async (prefix: string) => {
    await linkNeighbours(prefix, peer, names);
    await sayVersion(startedPeer(prefix, peer, names), peer);
  };
  await unpackPackage({ wanted: peer.wanted, names, place, etc, onProgress, tryOut });
  return fetched;
}

async function installedPeer({ name }: Peer, searchPath: string): Promise<Started | undefined> {
  for (const folder of searchPath.split(delimiter).filter((part) => part !== '')) {
    const command = join(folder, name);
    if (await isThere(command)) return { command, args: [] };
  }
  return undefined;
}

function startedPeer(prefix: string, { program, libraryFolders }: Peer, names: DebianNames): Started {
  return startedFrom(prefix, program, names, libraryFolders);
}

/** The running executable is the loader, which lies among the libraries. */
async function linkNeighbours(prefix: string, { neighbours }: Peer, names: DebianNames): Promise<void> {
  if (neighbours === undefined) return;
  const [from, to] = [join(prefix, neighbours), librariesOf(prefix, names)];
  for (const name of await readdir(from)) {
    await symlink(join(relative(to, from), name), join(to, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function isThere(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function sayVersion({ command, args }: Started, { versionArguments }: Peer): Promise<void> {
  await execa(command, [...args, ...versionArguments], { stdin: 'ignore', timeout: 20_000 });
}
