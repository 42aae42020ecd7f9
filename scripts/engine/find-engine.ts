import { findInstalledEngine, type InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import { findFetchedEngine } from './fetched-engine.ts';

interface Wanted {
  /** The value of `LLAMA_SERVER_BIN`. */
  readonly configured: string | undefined;
  /** The value of `PATH`. */
  readonly searchPath: string | undefined;
  /** The cache folder. */
  readonly cache: string;
}

/** The llama-server installed on this machine, else the one fetched before. */
export async function findEngine({ cache, ...places }: Wanted): Promise<InstalledEngine | undefined> {
  return (await findInstalledEngine(places)) ?? (await findFetchedEngine(cache));
}

/** findEngine, or fetch one if there is none. Throws EngineNotRunnable and EngineUnavailable. */
export async function findOrFetchEngine(
  wanted: Wanted,
  onProgress: (text: string) => void = () => {},
): Promise<InstalledEngine> {
  const found = await findEngine(wanted);
  if (found) return found;
  const { fetchEngine } = await import('./fetch-engine.ts');
  return fetchEngine({ cache: wanted.cache, onProgress });
}
