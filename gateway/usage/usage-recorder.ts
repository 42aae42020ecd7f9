import { noUsage } from '../api/usage.ts';
import type { RequestFinished, RequestObserver } from '../proxy/request-record.ts';
import type { UsageEntry } from './usage-batch.ts';

/**
 * Records the usage of each request once, at its end, and later a correction where its tokens were counted afterwards.
 * `hasModels`: there are several models, whose usage is kept apart.
 */
export function createUsageRecorder(record: (entry: UsageEntry) => void, hasModels = false): RequestObserver {
  return function recordUsage(event) {
    const entry = toUsageEntry(event, hasModels);
    if (entry === undefined) return;
    record(entry);
    return event.record.usageCorrection?.then((input) => {
      if (input !== 0) record({ ...entry, usage: { ...noUsage, input } });
    });
  };
}

/** Using them is not usage: a Prometheus alone makes thousands of requests a day. When its key was last used still counts. */
const operatorRoutes = /^\/(?:admin|dashboard|metrics|reload)(?:\/|$)/;

/** Undefined for a request without a key. */
function toUsageEntry({ record, end, pattern }: RequestFinished, hasModels: boolean): UsageEntry | undefined {
  const { keyId, user, usage, error, queuedMs = 0, computeMs = 0, machineShare = 0 } = record;
  if (keyId === undefined) return undefined;
  const counts = !operatorRoutes.test(pattern);
  return {
    keyId,
    model: hasModels ? record.model : undefined,
    user,
    at: Date.now(),
    previousSecret: record.previousSecret,
    isUrgent: record.batch !== undefined,
    usage: {
      requests: counts ? 1 : 0,
      errors: counts && (error !== undefined || end.outcome === 'refused') ? 1 : 0,
      cacheHits: record.cache === 'hit' ? 1 : 0,
      input: usage?.input ?? 0,
      cached: usage?.cached ?? 0,
      output: usage?.output ?? 0,
      queueMs: queuedMs,
      computeMs,
      machineMs: computeMs * machineShare,
    },
  };
}
