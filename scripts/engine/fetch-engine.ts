import { access, glob, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import { type DebianNames, getDebianNames, libraryFolder } from '../debian/debian-names.ts';
import { unpackPackage } from '../debian/unpack-package.ts';
import { EngineUnavailable } from './engine-unavailable.ts';
import { readEngineVersion } from './engine-version.ts';
import { fetchedEngine, fetchedEngineFolder, findFetchedEngine } from './fetched-engine.ts';

/** Its packages also depend on programs that a server never runs. */
const wanted = { name: 'llama.cpp-tools', suites: ['forky', 'sid'], assumedInstalled: ['wget', 'debconf'] };

interface FetchOptions {
  /** The cache folder, `.cache`. */
  readonly cache: string;
  readonly onProgress?: (text: string) => void;
  /** Node's name of the processor. */
  readonly arch?: string;
  /** apt's folder. */
  readonly etc?: string;
}

/** Fetches the llama-server of Debian's archive, unless it was fetched before. Throws EngineUnavailable. */
export async function fetchEngine({
  cache,
  onProgress = () => {},
  arch = process.arch,
  etc = '/etc/apt',
}: FetchOptions): Promise<InstalledEngine> {
  const names = getDebianNames(arch);
  if (process.platform !== 'linux' || !names)
    throw new EngineUnavailable(`Debian has no llama-server for ${process.platform} on ${arch}`);
  const found = await findFetchedEngine(cache, arch);
  if (found && (await runs(found))) return found;
  const place = fetchedEngineFolder(cache, names);
  const verify = async (prefix: string) => {
    await linkComputeBackends(prefix, names);
    onProgress(`llama-server ${await readEngineVersion(fetchedEngine(prefix, names))} runs`);
  };
  try {
    await unpackPackage({ wanted, names, place, etc, onProgress, verify });
  } catch (error) {
    throw EngineUnavailable.from(error);
  }
  return fetchedEngine(place, names);
}

async function runs(engine: InstalledEngine): Promise<boolean> {
  try {
    await access(engine.command);
    await readEngineVersion(engine);
    return true;
  } catch {
    return false;
  }
}

/** llama-server searches its compute backends next to the running executable, which is the loader here. */
async function linkComputeBackends(prefix: string, names: DebianNames): Promise<void> {
  const beside = libraryFolder(prefix, names);
  for await (const backend of glob('ggml/backends*/*.so', { cwd: beside })) {
    await symlink(backend, join(beside, basename(backend))).catch(() => {});
  }
}
