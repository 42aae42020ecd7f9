import { parseBackendUrl } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';
import { cacheFor } from '../http/cache-for.ts';

const MAX_AGE = 1000;
const TIMEOUT = 500;

/** The supervisor's `/status`, as far as the gateway uses it. */
export interface SupervisorStatus {
  readonly standing: string;
  /** ms since the start of the boot, by phase; not every phase applies everywhere. */
  readonly boot: Readonly<Record<string, number | string>>;
  readonly loadTimeMs: number | null;
  /** By child. */
  readonly restarts: Readonly<Record<string, number>>;
  /** By child, then by class. */
  readonly crashes: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Reads the status at most once per second; undefined if there is no health server or it does not respond. */
export function createSupervisorStatusReader(
  healthUrl: string | undefined,
): () => Promise<SupervisorStatus | undefined> {
  if (healthUrl === undefined) return async () => undefined;
  const health = { address: parseBackendUrl(healthUrl), apiKey: undefined };
  return cacheFor(MAX_AGE, async () => {
    const response = await requestBackend(health, { path: '/status', timeoutMs: TIMEOUT });
    const isOk = response.outcome === 'answered' && response.status === 200;
    return isOk ? parseSupervisorStatus(response.body) : undefined;
  });
}

export function parseSupervisorStatus(body: string): SupervisorStatus | undefined {
  try {
    const status = JSON.parse(body) as Partial<SupervisorStatus> | null;
    if (typeof status?.standing !== 'string') return undefined;
    const { standing, boot = {}, loadTimeMs, restarts = {}, crashes = {} } = status;
    return {
      ...{ standing, boot, restarts, crashes },
      loadTimeMs: typeof loadTimeMs === 'number' ? loadTimeMs : null,
    };
  } catch {
    return undefined;
  }
}
