import { join } from 'node:path';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { obtainService } from './obtain-service.ts';
import type { TestService } from './service-catalogue.ts';

/**
 * The peer, fetched where this machine has none. Where it cannot be had, the test file fails and says so, unless
 * `ALLOW_MISSING_PEERS=true` allows to go without: then it is undefined, and what needs it is to be skipped.
 */
export async function requireTestService(
  peer: TestService,
  env: NodeJS.ProcessEnv = process.env,
  etc = '/etc/apt',
): Promise<ProgramCommand | undefined> {
  const cache = join(import.meta.dirname, '../../.cache');
  const onProgress = (text: string) => console.error(text);
  try {
    return await obtainService(peer, { cache, searchPath: env.PATH, onProgress, etc });
  } catch (error) {
    const advice = `install ${peer.name}, or set ALLOW_MISSING_PEERS=true to do without the tests that need it`;
    const complaint = `${peer.name} is needed and could not be had (${(error as Error).message}): ${advice}`;
    if (env.ALLOW_MISSING_PEERS !== 'true') throw new Error(complaint, { cause: error });
    console.error(`NOT TESTED: ${complaint}`);
    return undefined;
  }
}
