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
  /** The cache folder, `.cache`. */
  readonly cache: string;
  /** The value of `PATH`. */
  readonly searchPath: string | undefined;
  readonly onProgress?: (text: string) => void;
  /** The configuration folder of apt. */
  readonly etc?: string;
}

/** Returns the program of this machine, else one fetched before, else fetches it from Debian's archive. Throws PackageUnavailable. */
export async function obtainService(
  service: TestService,
  environment: ServiceEnvironment,
): Promise<ProgramCommand> {
  const { cache, searchPath = '', onProgress = () => {}, etc = '/etc/apt' } = environment;
  const installed = await findInstalled(service, searchPath);
  if (installed) return installed;
  const names = getDebianNames(process.arch);
  if (process.platform !== 'linux' || !names)
    throw new PackageUnavailable(`Debian has no ${service.name} for ${process.platform} on ${process.arch}`);
  const place = join(resolve(cache), 'peers', service.folder ?? service.name);
  const fetched = commandIn(place, service, names);
  if (await isExecutable(fetched.command)) return fetched;
  const verify = async (prefix: string) => {
    await linkNeighbours(prefix, service, names);
    await runVersion(commandIn(prefix, service, names), service);
  };
  await unpackPackage({ wanted: service.wanted, names, place, etc, onProgress, verify });
  return fetched;
}

async function findInstalled({ name }: TestService, searchPath: string): Promise<ProgramCommand | undefined> {
  for (const folder of searchPath.split(delimiter).filter((part) => part !== '')) {
    const command = join(folder, name);
    if (await isExecutable(command)) return { command, args: [] };
  }
  return undefined;
}

function commandIn(
  prefix: string,
  { program, libraryFolders }: TestService,
  names: DebianNames,
): ProgramCommand {
  return commandFor(prefix, program, names, libraryFolders);
}

/** The running executable is the loader, so the program looks for these files among the libraries. */
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

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function runVersion(
  { command, args }: ProgramCommand,
  { versionArguments }: TestService,
): Promise<void> {
  await execa(command, [...args, ...versionArguments], { stdin: 'ignore', timeout: 20_000 });
}
