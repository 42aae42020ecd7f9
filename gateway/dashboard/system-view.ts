import { parseBackendUrl } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';
import { cacheFor } from '../http/cache-for.ts';

const FRESH_FOR = 1000;
const PATIENCE = 500;

/** What the supervisor's `/status` says, as far as the dashboard shows it. */
export interface SystemView {
  readonly standing: string;
  /** ms after the begin of the boot, by phase; not every phase applies everywhere. */
  readonly boot: Readonly<Record<string, number | string>>;
  /** By child. */
  readonly restarts: Readonly<Record<string, number>>;
}

/** Asks the health server of the house; undefined where there is none, or it does not answer. */
export function createSystemReader(healthUrl: string | undefined): () => Promise<SystemView | undefined> {
  if (healthUrl === undefined) return async () => undefined;
  const health = { address: parseBackendUrl(healthUrl), apiKey: undefined };
  return cacheFor(FRESH_FOR, async () => {
    const answer = await requestBackend(health, { path: '/status', timeoutMs: PATIENCE });
    return answer.outcome === 'responded' && answer.status === 200 ? parseSystemView(answer.body) : undefined;
  });
}

export function parseSystemView(body: string): SystemView | undefined {
  try {
    const status = JSON.parse(body) as Partial<SystemView> | null;
    if (typeof status?.standing !== 'string') return undefined;
    const { standing, boot = {}, restarts = {} } = status;
    return { standing, boot, restarts };
  } catch {
    return undefined;
  }
}
