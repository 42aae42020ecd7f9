import { parseBackendUrl } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';
import { cacheFor } from '../http/cache-for.ts';

const FRESH_FOR = 1000;
const PATIENCE = 300;

/** What the supervisor's `/status` says, as far as it is shown here. */
export interface SupervisorStatus {
  readonly standing: string;
  readonly loadTimeMs: number | null;
  readonly restarts: Readonly<Record<string, number>>;
  /** By child, then by class. */
  readonly crashes: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Asks the health server of the house, once a second at the most; undefined where it does not answer. */
export function createSupervisorStatusReader(
  healthUrl: string | undefined,
): () => Promise<SupervisorStatus | undefined> {
  if (healthUrl === undefined) return async () => undefined;
  const health = { address: parseBackendUrl(healthUrl), apiKey: undefined };
  return cacheFor(FRESH_FOR, async () => {
    const answer = await requestBackend(health, { path: '/status', timeoutMs: PATIENCE });
    return answer.outcome === 'answered' && answer.status === 200
      ? parseSupervisorStatus(answer.body)
      : undefined;
  });
}

export function parseSupervisorStatus(body: string): SupervisorStatus | undefined {
  try {
    const status = JSON.parse(body) as Partial<SupervisorStatus> | null;
    if (typeof status?.standing !== 'string') return undefined;
    const { standing, loadTimeMs, restarts = {}, crashes = {} } = status;
    return { standing, loadTimeMs: typeof loadTimeMs === 'number' ? loadTimeMs : null, restarts, crashes };
  } catch {
    return undefined;
  }
}
