import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

/** A llama-server executable: `command` with `args` before all other arguments. */
export interface InstalledEngine {
  readonly command: string;
  /** Arguments of the command itself, such as those of a loader; llama-server's own follow them. */
  readonly args: readonly string[];
  readonly origin: 'LLAMA_SERVER_BIN' | 'PATH' | '/app/llama-server' | 'fetched';
}

interface Places {
  /** The value of `LLAMA_SERVER_BIN`. */
  readonly configured?: string | undefined;
  /** The value of `PATH`. */
  readonly searchPath?: string | undefined;
  /** Its path in the container image of llama.cpp. */
  readonly imagePath?: string;
}

/** The value of `LLAMA_SERVER_BIN` cannot be run. */
export class EngineNotRunnable extends Error {
  override readonly name = 'EngineNotRunnable';
}

/**
 * The llama-server installed on this machine, or undefined. Throws EngineNotRunnable if the configured one cannot be run,
 * because no other may replace it.
 */
export async function findInstalledEngine({
  configured,
  searchPath = '',
  imagePath = '/app/llama-server',
}: Places): Promise<InstalledEngine | undefined> {
  if (configured !== undefined) return configuredEngine(configured, searchPath);
  const onPath = await findOnPath('llama-server', searchPath);
  if (onPath !== undefined) return { command: onPath, args: [], origin: 'PATH' };
  if (await isRunnable(imagePath)) return { command: imagePath, args: [], origin: '/app/llama-server' };
  return undefined;
}

async function configuredEngine(configured: string, searchPath: string): Promise<InstalledEngine> {
  const isBareName = !configured.includes('/');
  const command = isBareName ? await findOnPath(configured, searchPath) : resolve(configured);
  if (command !== undefined && (await isRunnable(command)))
    return { command, args: [], origin: 'LLAMA_SERVER_BIN' };
  throw new EngineNotRunnable(
    `LLAMA_SERVER_BIN: ${configured} ${await describeProblem(command)}; set it to a llama-server executable, or unset it`,
  );
}

async function describeProblem(file: string | undefined): Promise<string> {
  if (file === undefined) return 'is not on the PATH';
  const found = await stat(file).catch(() => undefined);
  if (!found) return 'does not exist';
  return found.isFile() ? 'is not executable' : 'is not a regular file';
}

async function findOnPath(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    if (folder === '') continue;
    const candidate = resolve(join(folder, name));
    if (await isRunnable(candidate)) return candidate;
  }
  return undefined;
}

async function isRunnable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
