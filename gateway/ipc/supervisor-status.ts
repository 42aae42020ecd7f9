import { readSupervisorStatus, type SupervisorStatus } from '../../health/supervisor-status.ts';
import { cacheFor } from '../http/cache-for.ts';

const MAX_AGE = 1000;
const TIMEOUT = 500;

/** Reads the status at most once per second; undefined if there is no health server or it does not respond. */
export function createSupervisorStatusReader(
  healthUrl: string | undefined,
): () => Promise<SupervisorStatus | undefined> {
  if (healthUrl === undefined) return async () => undefined;
  return cacheFor(MAX_AGE, () => readSupervisorStatus(healthUrl, TIMEOUT));
}
