import type { RequestFinished, RequestObserver } from '../proxy/request-events.ts';
import { noUsage } from '../proxy/usage-sums.ts';
import type { UsageEntry } from './usage-batch.ts';

/** Records the usage of each request once, at its end, and later a correction where its tokens were counted afterwards. */
export function createUsageRecorder(record: (entry: UsageEntry) => void): RequestObserver {
  return async function recordUsage(event) {
    const entry = toUsageEntry(event, Date.now());
    if (entry === undefined) return;
    record(entry);
    const input = (await event.record.usageCorrection) ?? 0;
    if (input !== 0) record({ ...entry, usage: { ...noUsage, input } });
  };
}

/** Undefined for a request without a key. */
export function toUsageEntry({ record, end }: RequestFinished, at: number): UsageEntry | undefined {
  const { keyId, usage, error, queuedMs = 0, computeMs = 0, machineShare = 0 } = record;
  if (keyId === undefined) return undefined;
  return {
    keyId,
    at,
    previousSecret: record.previousSecret ?? false,
    usage: {
      requests: 1,
      errors: error !== undefined || end.outcome === 'refused' ? 1 : 0,
      input: usage?.input ?? 0,
      cached: usage?.cached ?? 0,
      output: usage?.output ?? 0,
      queueMs: queuedMs,
      computeMs,
      machineMs: computeMs * machineShare,
    },
  };
}
