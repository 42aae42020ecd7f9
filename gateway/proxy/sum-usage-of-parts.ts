import type { Usage } from '../api/usage.ts';
import type { RequestRecord } from './request-record.ts';

/** Writes into the record of a batch what its parts have cost, what is still to be counted of them included. */
export function sumUsageOfParts(record: RequestRecord, parts: readonly RequestRecord[]): void {
  const [first] = parts;
  const sumOf = (of: (part: RequestRecord) => number | undefined) =>
    parts.reduce((sum, part) => sum + (of(part) ?? 0), 0);
  // They wait side by side, and the first of them is whom the client waits for.
  if (first?.queuedMs !== undefined) record.queuedMs = first.queuedMs;
  record.computeMs = sumOf(({ computeMs }) => computeMs);
  const machineMs = sumOf(({ computeMs = 0, machineShare = 0 }) => computeMs * machineShare);
  if (record.computeMs > 0) record.machineShare = machineMs / record.computeMs;
  const retries = sumOf((part) => part.retries);
  if (retries > 0) record.retries = retries;
  const digest = parts.find((part) => part.digest !== undefined)?.digest;
  if (digest !== undefined) record.digest = digest;
  const usage = usageOf(parts);
  if (usage === undefined) return;
  record.usage = usage;
  if (parts.every(({ pendingUsage }) => pendingUsage === undefined)) return;
  record.pendingUsage = Promise.all(parts.map((part) => part.pendingUsage)).then(() => {
    record.usage = usageOf(parts) ?? usage;
  });
  record.usageCorrection = Promise.all(parts.map(({ usageCorrection = 0 }) => usageCorrection)).then((all) =>
    all.reduce((sum, one) => sum + one, 0),
  );
}

function usageOf(parts: readonly RequestRecord[]): Usage | undefined {
  const known = parts.flatMap(({ usage }) => usage ?? []);
  if (known.length === 0) return undefined;
  return known.reduce((a, b) => ({
    input: a.input + b.input,
    cached: a.cached + b.cached,
    output: a.output + b.output,
  }));
}
