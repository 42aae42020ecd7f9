import { access, glob, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { execa } from 'execa';
import type { Engine } from '../../supervisor/engine.ts';
import { askVersion } from './ask-version.ts';
import { debianArchives } from './debian-sources.ts';
import { EngineNotToBeHad } from './engine-not-to-be-had.ts';
import {
  type DebianNames,
  debianNamesOf,
  fetchedEngine,
  findFetchedEngine,
  librariesOf,
  placeOf,
} from './fetched-engine.ts';
import { type PrivateApt, setUpPrivateApt } from './private-apt.ts';

const suites = ['forky', 'sid'];
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** What llama.cpp-tools and the C library also name among their needs, and a server never runs. */
const presumed = ['wget', 'debconf'];

interface FetchOptions {
  /** The folder that holds what can be had again, `.cache`. */
  readonly cache: string;
  readonly onProgress?: (text: string) => void;
  /** Node's name of the processor. */
  readonly arch?: string;
  /** apt's folder. */
  readonly etc?: string;
}

async function runs(engine: Engine): Promise<boolean> {
  try {
    await access(engine.command);
    await askVersion(engine);
    return true;
  } catch {
    return false;
  }
}

/**
 * The llama-server of Debian's archive, unpacked into the cache with the libraries it was built for, beside whatever
 * this machine has installed. One that is there already is taken. Throws EngineNotToBeHad, which tells the other ways.
 */
export async function fetchEngine({
  cache,
  onProgress = () => {},
  arch = process.arch,
  etc = '/etc/apt',
}: FetchOptions): Promise<Engine> {
  const names = debianNamesOf(arch);
  if (process.platform !== 'linux' || !names)
    throw new EngineNotToBeHad(`Debian has no llama-server for ${process.platform} on ${arch}`);
  const found = await findFetchedEngine(cache, arch);
  if (found && (await runs(found))) return found;
  const place = placeOf(cache, names);
  await mkdir(join(place, '..'), { recursive: true });
  await sweep(join(place, '..'));
  const folder = await mkdtemp(join(place, '..', `fetching-${process.pid}-`));
  try {
    const archives = await archivesToAsk(etc);
    const packages = await download({ folder: join(folder, 'apt'), archives, names, onProgress });
    const prefix = join(folder, 'prefix');
    await unpack(packages, prefix, names, onProgress);
    const version = await askVersion(fetchedEngine(prefix, names));
    await moveInto(place, prefix, fetchedEngine(place, names));
    onProgress(`llama-server ${version} is ready`);
    return fetchedEngine(place, names);
  } catch (error) {
    throw EngineNotToBeHad.from(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function archivesToAsk(etc: string): Promise<string[]> {
  await access(keyring).catch(() => {
    throw new EngineNotToBeHad(`there is no ${keyring}, by which Debian's packages are checked`);
  });
  const archives = await debianArchives(etc);
  if (archives.length === 0) throw new EngineNotToBeHad(`${etc} names no archive of Debian`);
  return archives;
}

interface Download {
  readonly folder: string;
  readonly archives: readonly string[];
  readonly names: DebianNames;
  readonly onProgress: (text: string) => void;
}

/** The package files of the first suite of the first archive that has them. */
async function download({ folder, archives, names, onProgress }: Download): Promise<string[]> {
  const failures: unknown[] = [];
  for (const archive of archives) {
    for (const suite of suites) {
      try {
        const { architecture } = names;
        const apt = await setUpPrivateApt({ folder, architecture, archive, suite, keyring, presumed });
        onProgress(`reading the package list of Debian ${suite}`);
        await apt.get(['update']);
        return await downloadPackages(apt, onProgress);
      } catch (error) {
        failures.push(error);
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
  throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'no suite gave a llama-server');
}

async function downloadPackages(apt: PrivateApt, onProgress: (text: string) => void): Promise<string[]> {
  await apt.get(['install', '--download-only', 'llama.cpp-tools'], (line) => {
    const got = /^Get:\d+ \S+ \S+ \S+ (\S+) .*\[([^\]]+)\]/.exec(line);
    const total = /^Need to get ([^/]+?)(?:\/.*)? of archives/.exec(line);
    if (total) onProgress(`downloading llama-server and its libraries, ${total[1]}`);
    if (got) onProgress(`downloading ${got[1]} (${got[2]})`);
  });
  const names = await readdir(apt.archives);
  return names.filter((name) => name.endsWith('.deb')).map((name) => join(apt.archives, name));
}

async function unpack(
  packages: readonly string[],
  prefix: string,
  names: DebianNames,
  onProgress: (text: string) => void,
): Promise<void> {
  onProgress(`unpacking ${packages.length} packages`);
  await mkdir(prefix, { recursive: true });
  for (const file of packages) await execa('dpkg', ['-x', file, prefix], { stdin: 'ignore' });
  await linkComputeBackends(prefix, names);
}

/** llama-server looks for its compute backends beside the running executable, which is the loader's folder here. */
async function linkComputeBackends(prefix: string, names: DebianNames): Promise<void> {
  const beside = librariesOf(prefix, names);
  for await (const backend of glob('ggml/backends*/*.so', { cwd: beside })) {
    await symlink(backend, join(beside, basename(backend))).catch(() => {});
  }
}

/** The last one wins where two fetched at once, unless the other's already runs. */
async function moveInto(place: string, prefix: string, engine: Engine): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      return await rename(prefix, place);
    } catch (error) {
      if (await runs(engine)) return;
      const isInTheWay = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      );
      if (!isInTheWay) throw error;
      await rename(place, `${prefix}-broken-${attempt}`).catch(() => {});
    }
  }
  throw new EngineNotToBeHad(`${relative('', place)} cannot be replaced`);
}

/** Removes what a fetch that was killed has left. */
async function sweep(folder: string): Promise<void> {
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
