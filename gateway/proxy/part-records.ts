import type { DraftUsage, Usage } from '../api/usage.ts';
import type { RequestRecord } from './request-record.ts';

/** Writes into the record of a request what its parts have cost, including what is still being counted. */
export function recordParts(record: RequestRecord, parts: readonly RequestRecord[]): void {
  const [first] = parts;
  const sumOf = (get: (part: RequestRecord) => number | undefined) =>
    parts.reduce((sum, part) => sum + (get(part) ?? 0), 0);
  // The parts wait side by side, and the client waits for the first of them.
  if (first?.queuedMs !== undefined) record.queuedMs = first.queuedMs;
  record.computeMs = sumOf(({ computeMs }) => computeMs);
  const machineMs = sumOf(({ computeMs = 0, machineShare = 0 }) => computeMs * machineShare);
  if (record.computeMs > 0) record.machineShare = machineMs / record.computeMs;
  const preempted = sumOf((part) => part.preempted);
  if (preempted > 0) record.preempted = preempted;
  const discarded = sumOf((part) => part.discardedTokens);
  if (discarded > 0) record.discardedTokens = discarded;
  const retries = sumOf((part) => part.retries);
  if (retries > 0) record.retries = retries;
  const digest = parts.find((part) => part.digest !== undefined)?.digest;
  if (digest !== undefined) record.digest = digest;
  const usage = addUsages(parts);
  if (usage === undefined) return;
  record.usage = usage;
  if (parts.every(({ pendingUsage }) => pendingUsage === undefined)) return;
  record.pendingUsage = Promise.all(parts.map((part) => part.pendingUsage)).then(() => {
    record.usage = addUsages(parts) ?? usage;
  });
  record.usageCorrection = Promise.all(parts.map(({ usageCorrection = 0 }) => usageCorrection)).then(
    (corrections) => corrections.reduce((sum, correction) => sum + correction, 0),
  );
}

function addUsages(parts: readonly RequestRecord[]): Usage | undefined {
  const known = parts.flatMap(({ usage }) => usage ?? []);
  if (known.length === 0) return undefined;
  return known.reduce((a, b) => ({
    input: a.input + b.input,
    cached: a.cached + b.cached,
    output: a.output + b.output,
    drafts: addDrafts(a.drafts, b.drafts),
  }));
}

function addDrafts(a: DraftUsage | undefined, b: DraftUsage | undefined): DraftUsage | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { drafted: a.drafted + b.drafted, accepted: a.accepted + b.accepted };
}
