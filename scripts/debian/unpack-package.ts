import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import type { DebianNames } from './debian-names.ts';
import { downloadPackages, type WantedPackage } from './download-packages.ts';
import { PackageUnavailable } from './package-unavailable.ts';

interface Unpacking {
  readonly wanted: WantedPackage;
  readonly names: DebianNames;
  /** Target folder, absolute, inside a folder for such packages only. */
  readonly place: string;
  /** apt's folder, `/etc/apt`. */
  readonly etc: string;
  readonly onProgress: (text: string) => void;
  /** Prepares the unpacked files, and throws if the program does not run. */
  readonly verify: (prefix: string) => Promise<void>;
}

/**
 * Unpacks a package of Debian's archive with the libraries it was built for, independent of the installed packages.
 * The target folder is complete or does not exist. Throws PackageUnavailable.
 */
export async function unpackPackage(unpacking: Unpacking): Promise<void> {
  const { wanted, names, place, etc, onProgress, verify } = unpacking;
  await mkdir(dirname(place), { recursive: true });
  await removeStaleFolders(dirname(place));
  const folder = await mkdtemp(join(dirname(place), `fetching-${process.pid}-`));
  try {
    const files = await downloadPackages({ folder: join(folder, 'apt'), wanted, names, etc, onProgress });
    const prefix = join(folder, 'prefix');
    onProgress(`unpacking ${files.length} packages`);
    await mkdir(prefix, { recursive: true });
    for (const file of files) await execa('dpkg', ['-x', file, prefix], { stdin: 'ignore' });
    await verify(prefix);
    await moveInto(prefix, unpacking);
  } catch (error) {
    throw PackageUnavailable.from(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** If two processes fetch at the same time, the last one wins, unless the other one already runs. */
async function moveInto(prefix: string, { place, verify }: Unpacking): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      return await rename(prefix, place);
    } catch (error) {
      if (await succeeds(verify(place))) return;
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code)) throw error;
      await rename(place, `${prefix}-broken-${attempt}`).catch(() => {});
    }
  }
  throw new PackageUnavailable(`${relative('', place)} cannot be replaced`);
}

async function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

/** Removes the files of killed fetches. */
async function removeStaleFolders(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^fetching-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
