import type { Key, Priority } from '../../keys/key.ts';
import { apiRoutes } from '../api/route-table.ts';
import { isRunning, type RequestFinished, type RequestRecord } from '../proxy/request-record.ts';

/** A request in progress, without any text of the request or response. */
export interface OpenRequest {
  readonly id: string;
  readonly key: string | null;
  /** Which of the users of the key; null where it does not tell them apart. */
  readonly user: string | null;
  readonly path: string;
  readonly model: string | null;
  readonly state: 'waiting' | 'running';
  readonly ageMs: number;
  readonly queuedMs: number;
  /** Generated so far. */
  readonly tokens: number;
  /** Since the first token; null before, and until the rate is that of the model rather than of buffers. */
  readonly tokensPerSecond: number | null;
}

/** The requests of one key, or of one of its users, which wait in one line. */
export interface LaneView {
  /** Null for requests without a key. */
  readonly key: string | null;
  readonly user: string | null;
  readonly priority: Priority;
  readonly running: number;
  readonly waiting: number;
}

const MIN_RATE_MS = 50;

export function describeOpenRequest(record: RequestRecord, now: number): OpenRequest {
  const { id, keyId, user, path, model, queuedMs, startedAt, responseTail } = record;
  const tokens = responseTail?.generated ?? 0;
  const generatingMs = responseTail?.firstByteAt === undefined ? 0 : now - responseTail.firstByteAt;
  return {
    ...{ id, key: keyId ?? null, user: user ?? null, path, model: model ?? null },
    state: isRunning(record) ? 'running' : 'waiting',
    ageMs: Math.round(now - startedAt),
    queuedMs: Math.round(queuedMs ?? now - startedAt),
    tokens,
    tokensPerSecond: tokens > 1 && generatingMs > MIN_RATE_MS ? ((tokens - 1) / generatingMs) * 1000 : null,
  };
}

/** One lane per key with open requests, or per user of a key that tells them apart; the fullest first. */
export function groupByLane(open: readonly OpenRequest[], keys: readonly Key[]): LaneView[] {
  const getPriority = (id: string | null) => keys.find((key) => key.id === id)?.priority ?? 'normal';
  const count = (requests: readonly OpenRequest[], state: OpenRequest['state']) =>
    requests.filter((one) => one.state === state).length;
  return [...Map.groupBy(open, ({ key, user }) => `${key ?? ''} ${user ?? ''}`).values()]
    .flatMap((requests) => {
      const [first] = requests;
      if (first === undefined) return [];
      const { key, user } = first;
      const counts = { running: count(requests, 'running'), waiting: count(requests, 'waiting') };
      return [{ key, user, priority: getPriority(key), ...counts }];
    })
    .sort((a, b) => b.running + b.waiting - (a.running + a.waiting));
}

/** A finished request, without any text of the request or response. */
export interface RecentRequest {
  readonly id: string;
  /** When it ended, ms since 1970. */
  readonly at: number;
  readonly key: string | null;
  readonly user: string | null;
  readonly path: string;
  readonly model: string | null;
  /** 499 if the client disconnected. */
  readonly status: number;
  readonly outcome: RequestFinished['end']['outcome'];
  readonly error: string | null;
  readonly ms: number;
  readonly queuedMs: number | null;
  /** Null unless the response is a stream. */
  readonly firstTokenMs: number | null;
  readonly input: number | null;
  readonly output: number | null;
  /** Sent again, or continued by another engine. */
  readonly rescued: boolean;
}

const MAX_RECENT = 100;

const apiPaths = new Set(apiRoutes.flatMap((route) => route.paths));

/** Whether it was a request to the model, and no attempt to guess a key. */
export function isModelRequest({ record, end, pattern }: RequestFinished): boolean {
  const isGuess = record.keyId === undefined && (end.status === 401 || end.status === 429);
  return apiPaths.has(pattern) && !isGuess;
}

/** The last finished requests to the model, newest first. */
export class RecentRequests {
  /** Oldest first, up to twice as many as are shown. */
  readonly #requests: RecentRequest[] = [];

  get all(): readonly RecentRequest[] {
    return this.#requests.slice(-MAX_RECENT).reverse();
  }

  add(event: RequestFinished): void {
    this.#requests.push(describeFinished(event));
    if (this.#requests.length >= 2 * MAX_RECENT) this.#requests.splice(0, MAX_RECENT);
  }
}

function describeFinished({ record, end, pattern }: RequestFinished): RecentRequest {
  const { startedAt, endedAt = performance.now(), firstByteAt, queuedMs, usage } = record;
  const firstTokenAt = record.streamed ? firstByteAt : undefined;
  return {
    id: record.id,
    key: record.keyId ?? null,
    user: record.user ?? null,
    model: record.model ?? null,
    status: end.status,
    outcome: end.outcome,
    error: record.error ?? null,
    ms: Math.round(endedAt - startedAt),
    queuedMs: queuedMs === undefined ? null : Math.round(queuedMs),
    firstTokenMs: firstTokenAt === undefined ? null : Math.round(firstTokenAt - startedAt),
    input: usage?.input ?? null,
    output: usage?.output ?? null,
    rescued: Boolean(record.retries || record.continued),
    path: pattern,
    at: Date.now(),
  };
}
