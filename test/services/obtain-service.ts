import { access, constants, readdir, symlink } from 'node:fs/promises';
import { delimiter, join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import {
  commandFor,
  type DebianNames,
  getDebianNames,
  libraryFolder,
  type ProgramCommand,
} from '../../scripts/debian/debian-names.ts';
import { PackageUnavailable } from '../../scripts/debian/package-unavailable.ts';
import { unpackPackage } from '../../scripts/debian/unpack-package.ts';
import type { TestService } from './service-catalogue.ts';

export interface ServiceEnvironment {
  /** The folder that holds what can be had again, `.cache`. */
  readonly cache: string;
  /** The value of `PATH`. */
  readonly searchPath: string | undefined;
  readonly onProgress?: (text: string) => void;
  /** apt's folder. */
  readonly etc?: string;
}

/** The peer of this machine, else the one fetched before, else one fetched from Debian's archive. Throws NotToBeHad. */
export async function obtainService(
  peer: TestService,
  surroundings: ServiceEnvironment,
): Promise<ProgramCommand> {
  const { cache, searchPath = '', onProgress = () => {}, etc = '/etc/apt' } = surroundings;
  const installed = await installedPeer(peer, searchPath);
  if (installed) return installed;
  const names = getDebianNames(process.arch);
  if (process.platform !== 'linux' || !names)
    throw new PackageUnavailable(`Debian has no ${peer.name} for ${process.platform} on ${process.arch}`);
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

async function installedPeer({ name }: TestService, searchPath: string): Promise<ProgramCommand | undefined> {
  for (const folder of searchPath.split(delimiter).filter((part) => part !== '')) {
    const command = join(folder, name);
    if (await isThere(command)) return { command, args: [] };
  }
  return undefined;
}

function startedPeer(
  prefix: string,
  { program, libraryFolders }: TestService,
  names: DebianNames,
): ProgramCommand {
  return commandFor(prefix, program, names, libraryFolders);
}

/** The running executable is the loader, which lies among the libraries. */
async function linkNeighbours(
  prefix: string,
  { neighbours }: TestService,
  names: DebianNames,
): Promise<void> {
  if (neighbours === undefined) return;
  const [from, to] = [join(prefix, neighbours), libraryFolder(prefix, names)];
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

async function sayVersion(
  { command, args }: ProgramCommand,
  { versionArguments }: TestService,
): Promise<void> {
  await execa(command, [...args, ...versionArguments], { stdin: 'ignore', timeout: 20_000 });
}
