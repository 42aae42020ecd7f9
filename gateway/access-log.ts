import type { Log } from '../log/create-log.ts';
import { removeJsonExcerpts } from '../log/unhandled-errors.ts';
import type { RequestOutcome, RequestRecord } from './proxy/request-record.ts';

const LONGEST_PATH = 256;
const LONGEST_CAUSE = 2000;

/** Writes the one line of a request. Probes are told at debug level: they come every second and say nothing new. */
export function logRequest(log: Log, record: RequestRecord, end: RequestOutcome): void {
  const line = describe(record, end);
  log[levelOf(record, end)](line, `${line.method} ${line.path} ${line.status}`);
}

function levelOf({ cause, keyId, model }: RequestRecord, { status }: RequestOutcome) {
  if (cause !== undefined || status === 500) return 'error';
  if (status >= 502) return 'warn';
  return keyId === undefined && model === undefined && status < 400 ? 'debug' : 'info';
}

/** All that is told of a request: what was asked for and what it took, never what was said. */
function describe(record: RequestRecord, { status, outcome }: RequestOutcome) {
  const { usage, startedAt, endedAt = performance.now(), firstByteAt } = record;
  return {
    key: record.keyId,
    method: record.method,
    path: formatPath(record.path),
    status,
    model: record.model,
    stream: record.streamed,
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
    digest: record.digest,
    error: record.error,
    cause:
      record.cause === undefined
        ? undefined
        : removeJsonExcerpts(explain(record.cause)).slice(0, LONGEST_CAUSE),
    address: record.address,
    id: record.id,
    trace: record.trace?.id,
  };
}

const rounded = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms));

/** A shorter answer, or one that came in one burst, tells of buffers rather than of the model. */
const FEWEST_TOKENS = 16;
const SHORTEST_MS = 50;

/**
 * How fast the model wrote: of a stream from its first event on, of other answers over all the time at the backend, so with
 * the reading of the prompt. Undefined where there was too little to tell.
 */
export function tokensPerSecond(record: RequestRecord): number | undefined {
  const { usage, streamed, firstByteAt, endedAt, computeMs } = record;
  if (usage === undefined) return undefined;
  const isTimed = streamed && firstByteAt !== undefined && endedAt !== undefined;
  const tokens = isTimed ? usage.output - 1 : usage.output;
  const ms = isTimed ? endedAt - firstByteAt : computeMs;
  if (ms === undefined || ms < SHORTEST_MS || tokens < FEWEST_TOKENS) return undefined;
  return Math.round((tokens / ms) * 10_000) / 10;
}

/** As it stands in an address: without spaces and control characters, which the router has decoded. */
export function formatPath(path: string): string {
  const shown = path.replace(/[\s\p{Cc}\p{Cf}]/gu, encodeURIComponent);
  return shown.length > LONGEST_PATH ? `${shown.slice(0, LONGEST_PATH)}…` : shown;
}

function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error
    ? `${cause.message}: ${cause.cause.message}`
    : (cause.stack ?? cause.message);
}
