import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder } from './project-folders.ts';

/**
 * Installs the packages that the lock file in a folder pins, unless they are there, into a folder of the cache, and returns that
 * folder. For tools that few people run and that are too large for everybody's set-up.
 */
export async function installPinnedPackages(from: string, name: string): Promise<string> {
  const place = join(cacheFolder, name);
  mkdirSync(place, { recursive: true });
  if (!isInstalled(from, place)) {
    cpSync(join(from, 'package.json'), join(place, 'package.json'));
    cpSync(join(from, lockFile), join(place, lockFile));
    await execa('npm', ['ci', '--ignore-scripts'], { cwd: place, stdio: 'inherit' });
    cpSync(join(from, lockFile), join(place, installedLock));
  }
  return realpathSync(place);
}

const lockFile = 'package-lock.json';

/** Written at the end of an installation: one that was interrupted is done again. */
const installedLock = 'installed-lock.json';

function isInstalled(from: string, place: string): boolean {
  const [wanted, installed] = [join(from, lockFile), join(place, installedLock)];
  return existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(wanted, 'utf8');
}
