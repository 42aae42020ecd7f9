import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import { commandFor, type DebianNames, getDebianNames } from '../debian/debian-names.ts';

/** How to start the llama-server that was unpacked into `prefix`: with the loader from its own packages. */
export function fetchedEngine(prefix: string, names: DebianNames): InstalledEngine {
  return { ...commandFor(prefix, 'usr/bin/llama-server', names, ['llama']), origin: 'fetched' };
}

/** The folder of the fetched engine for this architecture. */
export function fetchedEngineFolder(cache: string, { architecture }: DebianNames): string {
  return join(resolve(cache), 'engine', `debian-${architecture}`);
}

/**
 * The engine that was fetched before. It is complete or does not exist, and it was tested when it was fetched, so
 * only its existence is checked.
 */
export async function findFetchedEngine(
  cache: string,
  arch: string = process.arch,
): Promise<InstalledEngine | undefined> {
  const names = getDebianNames(arch);
  if (!names) return undefined;
  const engine = fetchedEngine(fetchedEngineFolder(cache, names), names);
  const isThere = access(engine.command, constants.X_OK);
  return isThere.then(
    () => engine,
    () => undefined,
  );
}
