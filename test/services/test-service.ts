import { join } from 'node:path';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { obtainService } from './obtain-service.ts';
import type { TestService } from './service-catalogue.ts';

/**
 * Returns the program, fetched if this machine has none. If that fails, it throws, unless `ALLOW_MISSING_PEERS=true`: then it
 * returns undefined, and the tests that need it must be skipped.
 */
export async function requireTestService(
  service: TestService,
  env: NodeJS.ProcessEnv = process.env,
  etc = '/etc/apt',
): Promise<ProgramCommand | undefined> {
  const cache = join(import.meta.dirname, '../../.cache');
  const onProgress = (text: string) => console.error(text);
  try {
    return await obtainService(service, { cache, searchPath: env.PATH, onProgress, etc });
  } catch (error) {
    const hint = `install ${service.name}, or set ALLOW_MISSING_PEERS=true to skip the tests that need it`;
    const message = `${service.name} is needed and not available (${(error as Error).message}): ${hint}`;
    if (env.ALLOW_MISSING_PEERS !== 'true') throw new Error(message, { cause: error });
    console.error(`NOT TESTED: ${message}`);
    return undefined;
  }
}
