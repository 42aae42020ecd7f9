import type { Log } from '../../log/create-log.ts';
import type { RequestRecord } from './request-record.ts';

/** Status of a request whose client left before the answer was complete: log only, nobody receives it. */
const CLIENT_LEFT = 499;

/** Writes the one line of a request. Probes are told at debug level: they come every second and say nothing new. */
export function logRequest(log: Log, record: RequestRecord, status: number, completed: boolean): void {
  const line = describe(record, completed ? status : CLIENT_LEFT);
  const level = levelOf(record, status, completed);
  log[level](line, `${record.method} ${record.path} ${line.status}`);
}

function levelOf(record: RequestRecord, status: number, completed: boolean) {
  if (record.cause !== undefined || (completed && status === 500)) return 'error';
  if (completed && status >= 502) return 'warn';
  return record.keyId === undefined && status < 400 && record.model === undefined ? 'debug' : 'info';
}

function describe(record: RequestRecord, status: number) {
  const { usage } = record;
  return {
    id: record.id,
    address: record.address,
    status,
    ms: Math.round((record.endedAt ?? performance.now()) - record.startedAt),
    key: record.keyId,
    model: record.model,
    stream: record.streamed,
    queueMs: rounded(record.queuedMs),
    ttfbMs: rounded(record.firstByteAt === undefined ? undefined : record.firstByteAt - record.startedAt),
    bytes: record.bytesOut,
    tokensIn: usage?.input,
    tokensCached: usage?.cached,
    tokensOut: usage?.output,
    finish: record.finishReason,
    retries: record.retries,
    continued: record.continued,
    digest: record.digest,
    error: record.error,
    cause: record.cause === undefined ? undefined : explain(record.cause),
  };
}

const rounded = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms));

function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error
    ? `${cause.message}: ${cause.cause.message}`
    : (cause.stack ?? cause.message);
}
