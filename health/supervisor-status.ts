import { parseBackendUrl } from './backend.ts';
import { requestBackend } from './request-backend.ts';
import type { ModelStatus } from './supervisor-messages.ts';

/** The supervisor's `/status`, as far as others use it. */
export interface SupervisorStatus {
  readonly standing: string;
  readonly version: string | undefined;
  /** ms since the start of the boot, by phase; not every phase applies everywhere. */
  readonly boot: Readonly<Record<string, number | string>>;
  readonly loadTimeMs: number | null;
  /** By child. */
  readonly restarts: Readonly<Record<string, number>>;
  /** By child, then by class. */
  readonly crashes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly models: readonly ModelReport[];
  /** For all models together, in bytes; undefined with one model. */
  readonly memoryBudget: number | undefined;
  /** Whether the runner of batches is up; undefined if there is none. */
  readonly runnerUp?: boolean | undefined;
}

/** What the status says of one model. */
export interface ModelReport {
  readonly id: string;
  readonly status: ModelStatus;
  /** Why it is failed. */
  readonly failure: string | null;
  /** What it takes or would take, in bytes. */
  readonly memory: number | null;
  readonly restarts: number;
  /** By class. */
  readonly crashes: Readonly<Record<string, number>>;
  /** Completed loads, and how long they took together. */
  readonly loads: number;
  readonly loadSeconds: number;
  readonly unloads: number;
}

/** Requests `/status` once; undefined if no supervisor's health server responds at this URL. */
export async function readSupervisorStatus(
  healthUrl: string,
  timeoutMs: number,
): Promise<SupervisorStatus | undefined> {
  const health = { address: parseBackendUrl(healthUrl), apiKey: undefined };
  const response = await requestBackend(health, { path: '/status', timeoutMs });
  const isOk = response.outcome === 'responded' && response.status === 200;
  return isOk ? parseSupervisorStatus(response.body) : undefined;
}

interface StatusBody extends Partial<Omit<SupervisorStatus, 'memoryBudget'>> {
  readonly memory?: { readonly budget?: number };
}

export function parseSupervisorStatus(body: string): SupervisorStatus | undefined {
  try {
    const status = JSON.parse(body) as StatusBody | null;
    if (typeof status?.standing !== 'string') return undefined;
    const { standing, version, boot = {}, loadTimeMs, restarts = {}, crashes = {} } = status;
    const { models = [], memory, runnerUp } = status;
    return {
      ...{ standing, boot, restarts, crashes, models, memoryBudget: memory?.budget, runnerUp },
      version: typeof version === 'string' ? version : undefined,
      loadTimeMs: typeof loadTimeMs === 'number' ? loadTimeMs : null,
    };
  } catch {
    return undefined;
  }
}
