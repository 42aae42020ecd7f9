import type { Key, Priority } from '../../keys/key.ts';
import type { RequestRecord } from '../proxy/request-record.ts';

/** A request under way: never what was asked or answered. */
export interface OpenRequest {
  readonly id: string;
  readonly key: string | null;
  readonly path: string;
  readonly model: string | null;
  readonly state: 'waiting' | 'running';
  readonly ageMs: number;
  readonly queuedMs: number;
  /** Written so far. */
  readonly tokens: number;
  /** Since the first of them; null before. */
  readonly tokensPerSecond: number | null;
}

/** The requests of one key: they wait in one lane. */
export interface LaneView {
  /** Null where no key is asked for. */
  readonly key: string | null;
  readonly priority: Priority;
  readonly running: number;
  readonly waiting: number;
}

export function describeOpenRequest(record: RequestRecord, now: number): OpenRequest {
  const { id, keyId, path, model, queuedMs, startedAt, responseTail } = record;
  const tokens = responseTail?.generated ?? 0;
  const spokenFor = responseTail?.firstByteAt === undefined ? 0 : now - responseTail.firstByteAt;
  return {
    ...{ id, key: keyId ?? null, path, model: model ?? null },
    state: queuedMs === undefined ? 'waiting' : 'running',
    ageMs: Math.round(now - startedAt),
    queuedMs: Math.round(queuedMs ?? now - startedAt),
    tokens,
    tokensPerSecond: tokens > 1 && spokenFor > 0 ? ((tokens - 1) / spokenFor) * 1000 : null,
  };
}

/** One for each key that has something under way, the fullest first. */
export function groupByLane(open: readonly OpenRequest[], keys: readonly Key[]): LaneView[] {
  const lanes = new Map<string | null, { running: number; waiting: number }>();
  for (const { key, state } of open) {
    const lane = lanes.get(key) ?? { running: 0, waiting: 0 };
    lane[state] += 1;
    lanes.set(key, lane);
  }
  const priorityOf = (id: string | null) => keys.find((key) => key.id === id)?.priority ?? 'normal';
  return [...lanes]
    .map(([key, counts]) => ({ key, priority: priorityOf(key), ...counts }))
    .sort((a, b) => b.running + b.waiting - (a.running + a.waiting));
}
