import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

interface AptOptions {
  /** A folder of our own, absolute; everything apt reads and writes is in it. */
  readonly folder: string;
  /** Debian's name of the architecture: `amd64` or `arm64`. */
  readonly architecture: string;
  readonly archive: string;
  readonly suite: string;
  readonly keyring: string;
  /** Packages that count as installed: they and their dependencies are not downloaded. */
  readonly presumed: readonly string[];
}

/**
 * An apt of our own. It uses the network settings of the machine, and reads and writes nothing else outside its
 * folder.
 */
export interface PrivateApt {
  /** Runs one `apt-get` command; `onLine` is called for each line of output. */
  get(args: readonly string[], onLine?: (line: string) => void): Promise<void>;
  /** The folder in which `--download-only` puts the packages. */
  readonly archives: string;
}

export async function setUpPrivateApt(options: AptOptions): Promise<PrivateApt> {
  const { folder, archive, suite, keyring, presumed } = options;
  const archives = join(folder, 'cache/archives');
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  await mkdir(join(folder, 'nothing'), { recursive: true });
  await writeFile(join(folder, 'sources.list'), `deb [signed-by=${keyring}] ${archive} ${suite} main\n`);
  await writeFile(join(folder, 'status'), presumed.map((name) => installed(name, options)).join('\n'));
  await writeFile(join(folder, 'apt.conf'), configuration(options));
  return {
    archives,
    async get(args, onLine) {
      const running = execa('apt-get', ['-c', join(folder, 'apt.conf'), '-q', '-y', ...args], {
        all: true,
        stdin: 'ignore',
        env: { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
        maxBuffer: 1024 * 1024,
      });
      if (onLine)
        running.all.setEncoding('utf8').on('data', (text: string) => text.split('\n').forEach(onLine));
      await running;
    },
  };
}

function installed(name: string, { architecture }: AptOptions): string {
  return [
    `Package: ${name}`,
    'Status: install ok installed',
    'Maintainer: nobody',
    `Architecture: ${architecture}`,
    'Multi-Arch: foreign',
    'Version: 999:1',
    'Description: presumed',
    '',
  ].join('\n');
}

/**
 * The machine's hooks are cleared, because some of them empty the package cache after an update. The sandbox user is
 * not used, because it could not read a folder below a home directory.
 */
function configuration({ folder, architecture }: AptOptions): string {
  const at = (path: string) => join(folder, path);
  return [
    '#clear APT::Architectures;',
    '#clear APT::Update;',
    '#clear DPkg;',
    `APT::Architecture "${architecture}";`,
    `APT::Architectures "${architecture}";`,
    'APT::Update::Error-Mode "any";',
    'APT::Sandbox::User "root";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "30";',
    'Acquire::https::Timeout "30";',
    `Dir::Etc::sourcelist "${at('sources.list')}";`,
    `Dir::Etc::sourceparts "${at('nothing')}";`,
    'Dir::Etc::preferences "/dev/null";',
    `Dir::Etc::preferencesparts "${at('nothing')}";`,
    `Dir::State "${folder}";`,
    `Dir::State::lists "${at('lists')}";`,
    `Dir::State::status "${at('status')}";`,
    `Dir::State::extended_states "${at('extended_states')}";`,
    `Dir::Cache "${at('cache')}";`,
    `Dir::Cache::archives "${at('cache/archives')}";`,
    `Dir::Log "${folder}";`,
    '',
  ].join('\n');
}
