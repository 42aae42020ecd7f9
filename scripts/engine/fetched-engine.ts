import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Engine } from '../../supervisor/engine/installed-engine.ts';
import { commandFor, type DebianNames, getDebianNames } from '../debian/debian-names.ts';

/** How the llama-server that was unpacked into `prefix` is started: through the loader that came with it. */
export function fetchedEngine(prefix: string, names: DebianNames): Engine {
  return { ...commandFor(prefix, 'usr/bin/llama-server', names, ['llama']), origin: 'fetched' };
}

/** Where the fetched engine of this kind of machine stands. */
export function fetchedEngineFolder(cache: string, { architecture }: DebianNames): string {
  return join(resolve(cache), 'engine', `debian-${architecture}`);
}

/**
 * The engine that was fetched before. It is there whole or not at all, and was seen running when it was fetched, so that
 * a start has only to look.
 */
export async function findFetchedEngine(
  cache: string,
  arch: string = process.arch,
): Promise<Engine | undefined> {
  const names = getDebianNames(arch);
  if (!names) return undefined;
  const engine = fetchedEngine(fetchedEngineFolder(cache, names), names);
  const isThere = access(engine.command, constants.X_OK);
  return isThere.then(
    () => engine,
    () => undefined,
  );
}
