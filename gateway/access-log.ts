import type { Log } from '../log/create-log.ts';
import { removeJsonExcerpts } from '../log/unhandled-errors.ts';
import type { RequestOutcome, RequestRecord } from './proxy/request-record.ts';

const MAX_PATH_LENGTH = 256;
const MAX_CAUSE_LENGTH = 2000;

/** Writes one line per request. Probes are logged at debug level, because they come every second. */
export function logRequest(log: Log, record: RequestRecord, end: RequestOutcome): void {
  const line = describe(record, end);
  log[getLevel(record, end)](line, `${line.method} ${line.path} ${line.status}`);
}

function getLevel({ cause, keyId, model }: RequestRecord, { status }: RequestOutcome) {
  if (cause !== undefined || status === 500) return 'error';
  if (status >= 502) return 'warn';
  return keyId === undefined && model === undefined && status < 400 ? 'debug' : 'info';
}

/** The fields of the line: the kind and the cost of the request, never its content. */
function describe(record: RequestRecord, { status, outcome }: RequestOutcome) {
  const { usage, startedAt, endedAt = performance.now(), firstByteAt } = record;
  return {
    key: record.keyId,
    user: record.user,
    batch: record.batch,
    method: record.method,
    path: formatPath(record.path),
    status,
    model: record.model,
    stream: record.streamed,
    cache: record.cache,
    ms: Math.round(endedAt - startedAt),
    queueMs: rounded(record.queuedMs),
    ttftMs: record.streamed && firstByteAt !== undefined ? Math.round(firstByteAt - startedAt) : undefined,
    tokensIn: usage?.input,
    tokensCached: usage?.cached,
    tokensOut: usage?.output,
    tokensPerSecond: tokensPerSecond(record),
    bytes: record.bytesOut,
    finish: record.finishReason,
    clientGone: outcome === 'client_left' ? true : undefined,
    retries: record.retries,
    continued: record.continued,
    preempted: record.preempted,
    discarded: record.discardedTokens,
    digest: record.digest,
    error: record.error,
    token: record.tokenProblem,
    cause:
      record.cause === undefined
        ? undefined
        : removeJsonExcerpts(explain(record.cause)).slice(0, MAX_CAUSE_LENGTH),
    address: record.address,
    id: record.id,
    trace: record.trace?.id,
  };
}

const rounded = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms));

/** With fewer tokens or less time, the rate would be that of buffers rather than of the model. */
const MIN_TOKENS = 16;
const MIN_MS = 50;

/**
 * The generation speed: for a stream from its first event on, otherwise over all the time at the backend, prompt processing
 * included. Undefined for too few tokens or too little time.
 */
export function tokensPerSecond(record: RequestRecord): number | undefined {
  const { usage, streamed, firstByteAt, endedAt, computeMs } = record;
  if (usage === undefined) return undefined;
  const isTimed = streamed && firstByteAt !== undefined && endedAt !== undefined;
  const tokens = isTimed ? usage.output - 1 : usage.output;
  const ms = isTimed ? endedAt - firstByteAt : computeMs;
  if (ms === undefined || ms < MIN_MS || tokens < MIN_TOKENS) return undefined;
  return Math.round((tokens / ms) * 10_000) / 10;
}

/** The path with spaces and control characters encoded again, which the router has decoded. */
export function formatPath(path: string): string {
  const encoded = path.replace(/[\s\p{Cc}\p{Cf}]/gu, encodeURIComponent);
  return encoded.length > MAX_PATH_LENGTH ? `${encoded.slice(0, MAX_PATH_LENGTH)}…` : encoded;
}

function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error
    ? `${cause.message}: ${cause.cause.message}`
    : (cause.stack ?? cause.message);
}
