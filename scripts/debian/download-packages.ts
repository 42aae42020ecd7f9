import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DebianNames } from './debian-names.ts';
import { debianArchives } from './debian-sources.ts';
import { PackageUnavailable } from './package-unavailable.ts';
import { type PrivateApt, setUpPrivateApt } from './private-apt.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface WantedPackage {
  readonly name: string;
  /** The releases to search, in order of preference. */
  readonly suites: readonly string[];
  /** Dependencies that we do not need, because of what we run of the package. */
  readonly assumedInstalled: readonly string[];
}

interface Download {
  /** A folder of our own, absolute. */
  readonly folder: string;
  readonly wanted: WantedPackage;
  readonly names: DebianNames;
  /** apt's folder, `/etc/apt`. */
  readonly etc: string;
  readonly onProgress: (text: string) => void;
}

/** Downloads the package and its dependencies from the first suite of the first archive that has them. */
export async function downloadPackages(download: Download): Promise<string[]> {
  const { folder, wanted, names, etc, onProgress } = download;
  const { architecture } = names;
  const failures: unknown[] = [];
  for (const archive of await candidateArchives(etc)) {
    for (const suite of wanted.suites) {
      try {
        const { assumedInstalled } = wanted;
        const apt = await setUpPrivateApt({
          folder,
          architecture,
          archive,
          suite,
          keyring,
          presumed: assumedInstalled,
        });
        onProgress(`looking for ${wanted.name} in Debian ${suite}`);
        await apt.get(['update'], (line) => {
          const size = /^Get:\d+ .* Packages \[([^\]]+)\]/.exec(line)?.[1];
          if (size !== undefined) onProgress(`downloading the package list (${size}), and reading it`);
        });
        return await downloadFrom(apt, download);
      } catch (error) {
        failures.push(error);
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
  throw failures.length === 1
    ? failures[0]
    : new AggregateError(failures, `no Debian suite has ${wanted.name}`);
}

async function candidateArchives(etc: string): Promise<string[]> {
  await access(keyring).catch(() => {
    throw new PackageUnavailable(`${keyring} is missing; it is needed to verify Debian's packages`);
  });
  const archives = await debianArchives(etc);
  if (archives.length === 0) throw new PackageUnavailable(`${etc} lists no Debian archive`);
  return archives;
}

async function downloadFrom(apt: PrivateApt, { wanted, onProgress }: Download): Promise<string[]> {
  await apt.get(['install', '--download-only', wanted.name], (line) => {
    const total = /^Need to get ([^/]+?)(?:\/.*)? of archives/.exec(line);
    if (total) onProgress(`downloading ${wanted.name} and its libraries, ${total[1]}`);
  });
  const names = await readdir(apt.archives);
  return names.filter((name) => name.endsWith('.deb')).map((name) => join(apt.archives, name));
}
