import { apiRoutes } from '../api/route-table.ts';
import type { RequestFinished } from '../proxy/request-events.ts';

const KEPT = 100;

/** A request that is over, as the dashboard shows it: never what was asked or answered. */
export interface RecentRequest {
  readonly id: string;
  /** When it ended, ms since 1970. */
  readonly at: number;
  readonly key: string | null;
  readonly path: string;
  readonly model: string | null;
  /** What the client got; 499 where it left. */
  readonly status: number;
  readonly outcome: RequestFinished['end']['outcome'];
  readonly error: string | null;
  readonly ms: number;
  readonly queuedMs: number | null;
  /** Of streams. */
  readonly firstTokenMs: number | null;
  readonly input: number | null;
  readonly output: number | null;
  /** Sent again, or continued by another engine. */
  readonly rescued: boolean;
}

const paths = new Set(apiRoutes.flatMap((route) => route.paths));

/** The last requests for the model that are over, the newest first. Those of guessers do not push out the others. */
export class RecentRequests {
  /** The oldest first, and a few more than are told. */
  readonly #all: RecentRequest[] = [];

  get all(): readonly RecentRequest[] {
    return this.#all.slice(-KEPT).reverse();
  }

  add(finished: RequestFinished): void {
    const { pattern } = finished;
    if (!paths.has(pattern) || isGuess(finished)) return;
    this.#all.push({ ...describe(finished), path: pattern, at: Date.now() });
    if (this.#all.length >= 2 * KEPT) this.#all.splice(0, KEPT);
  }
}

const isGuess = ({ record, end }: RequestFinished) =>
  record.keyId === undefined && [401, 429].includes(end.status);

function describe({ record, end }: RequestFinished) {
  const { id, keyId, model, startedAt, endedAt, firstByteAt, queuedMs, usage, streamed } = record;
  const spokeAt = streamed ? firstByteAt : undefined;
  return {
    ...{ id, key: keyId ?? null, model: model ?? null },
    ...{ status: end.status, outcome: end.outcome, error: record.error ?? null },
    ms: Math.round((endedAt ?? performance.now()) - startedAt),
    queuedMs: queuedMs === undefined ? null : Math.round(queuedMs),
    firstTokenMs: spokeAt === undefined ? null : Math.round(spokeAt - startedAt),
    input: usage?.input ?? null,
    output: usage?.output ?? null,
    rescued: Boolean(record.retries || record.continued),
  };
}
