import { ask } from '../../health/ask.ts';
import { parseBackendUrl } from '../../health/backend.ts';
import { keptFresh } from '../metrics/kept-fresh.ts';

const FRESH_FOR = 1000;
const PATIENCE = 500;

/** What the supervisor's `/status` says, as far as the dashboard shows it. */
export interface HouseSight {
  readonly standing: string;
  /** ms after the begin of the boot, by phase; not every phase applies everywhere. */
  readonly boot: Readonly<Record<string, number | string>>;
  /** By child. */
  readonly restarts: Readonly<Record<string, number>>;
}

/** Asks the health server of the house; undefined where there is none, or it does not answer. */
export function lookAtHouse(healthUrl: string | undefined): () => Promise<HouseSight | undefined> {
  if (healthUrl === undefined) return async () => undefined;
  const health = { address: parseBackendUrl(healthUrl), apiKey: undefined };
  return keptFresh(FRESH_FOR, async () => {
    const answer = await ask(health, { path: '/status', timeoutMs: PATIENCE });
    return answer.outcome === 'answered' && answer.status === 200 ? houseFrom(answer.body) : undefined;
  });
}

export function houseFrom(body: string): HouseSight | undefined {
  try {
    const status = JSON.parse(body) as Partial<HouseSight> | null;
    if (typeof status?.standing !== 'string') return undefined;
    const { standing, boot = {}, restarts = {} } = status;
    return { standing, boot, restarts };
  } catch {
    return undefined;
  }
}
