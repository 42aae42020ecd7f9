import { randomInt } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher, Pool } from 'undici';
import { DataLineReader } from '../../sse/sse.ts';
import { parseChunk, parseError } from './stream-chunk.ts';

export interface BenchRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Called for each chunk with content. `previous` is the time of the chunk before it. */
export type OnChunk = (at: number, previous: number | undefined) => void;

const MAX_ERROR_BYTES = 16 * 1024;
const ignoreChunks: OnChunk = () => {};

/** Sends requests and measures their responses with as little overhead as possible. */
export class BenchClient {
  readonly #pool: Pool;
  readonly #timeoutMs: number;
  readonly #open = new Set<ResponseHandler>();
  /** Prefix of request ids, to find the requests in the logs of the endpoint. */
  readonly #name = `bench-${randomInt(36 ** 6).toString(36)}`;
  #sent = 0;
  #isOver = false;

  constructor(pool: Pool, timeoutMs: number) {
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
  }

  send({ path, headers, body }: BenchRequest, onChunk: OnChunk = ignoreChunks): Promise<Outcome> {
    if (this.#isOver) return Promise.resolve({ kind: 'abandoned' });
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const handler = new ResponseHandler(onChunk, this.#timeoutMs, (outcome) => {
      this.#open.delete(handler);
      resolve(outcome);
    });
    this.#open.add(handler);
    const named = { ...headers, 'x-request-id': `${this.#name}-${++this.#sent}` };
    this.#pool.dispatch({ method: 'POST', path, headers: named, body }, handler);
    return promise;
  }

  /** Aborts all open requests, and rejects further ones. */
  abortAll(): void {
    this.#isOver = true;
    for (const handler of this.#open) handler.abandon();
  }
}

class ResponseHandler implements Dispatcher.DispatchHandler {
  readonly #onChunk: OnChunk;
  readonly #finish: (outcome: Outcome) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #abortedAs: Outcome | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #lines: DataLineReader | undefined;
  readonly #body: Buffer[] = [];
  #bodyBytes = 0;
  #chunks = 0;
  #firstAt: number | undefined;
  #lastAt: number | undefined;
  #usage: { input: number; output: number } | undefined;
  #isComplete = false;
  #error: string | undefined;

  constructor(onChunk: OnChunk, timeoutMs: number, finish: (outcome: Outcome) => void) {
    this.#onChunk = onChunk;
    this.#timer = setTimeout(() => this.#abort(this.#failure('timeout')), timeoutMs);
    this.#finish = (outcome) => {
      clearTimeout(this.#timer);
      finish(outcome);
    };
  }

  abandon(): void {
    this.#abort({ kind: 'abandoned' });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortedAs) controller.abort(new Error('aborted'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (status < 300 && headers['content-type']?.startsWith('text/event-stream'))
      this.#lines = new DataLineReader();
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    const at = performance.now();
    if (this.#lines) for (const data of this.#lines.read(chunk)) this.#addChunk(data, at);
    else if (this.#status < 300 || this.#bodyBytes < MAX_ERROR_BYTES) {
      this.#body.push(chunk);
      this.#bodyBytes += chunk.length;
    }
  }

  #addChunk(data: string, at: number): void {
    if (data === '[DONE]') {
      this.#isComplete = true;
      return;
    }
    const piece = readOrUndefined(data);
    this.#error ??= piece ? piece.error : 'not JSON';
    if (piece?.usage) this.#usage = piece.usage;
    if (piece?.isLast) this.#isComplete = true;
    if (piece?.hasContent) this.#recordChunk(at);
  }

  #recordChunk(at: number): void {
    this.#chunks += 1;
    this.#firstAt ??= at;
    this.#onChunk(at, this.#lastAt);
    this.#lastAt = at;
  }

  onResponseEnd(): void {
    this.#finish(this.#outcome(performance.now()));
  }

  #outcome(endedAt: number): Outcome {
    if (this.#status >= 300) return this.#rejection();
    if (!this.#lines) this.#addChunk(Buffer.concat(this.#body).toString(), endedAt);
    if (this.#error !== undefined) return this.#failure(`response ${this.#error}`);
    if (this.#lines && !this.#isComplete) return this.#failure('response cut short');
    return this.#done(endedAt);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#abortedAs) this.#finish(this.#abortedAs);
    // A stream that is cut after its end mark is complete.
    else if (this.#isComplete && this.#error === undefined) this.#finish(this.#done(performance.now()));
    else this.#finish(this.#failure(faultName(error)));
  }

  #done(endedAt: number): Outcome {
    return {
      kind: 'done',
      endedAt,
      usage: this.#usage,
      pieces: this.#chunks,
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      queuedMs: numberIn(this.#headers['x-queue-wait-ms']),
    };
  }

  #rejection(): Outcome {
    const code = parseError(Buffer.concat(this.#body).toString());
    return this.#failure(code === undefined ? String(this.#status) : `${this.#status} ${code}`);
  }

  #failure(failure: string): Outcome {
    return {
      kind: 'failed',
      endedAt: performance.now(),
      failure,
      retryAfterMs: readRetryAfter(this.#headers, Date.now()),
      hadNoResponse: this.#status === 0 && /^connection (closed|ECONNRESET|EPIPE)$/.test(failure),
    };
  }

  #abort(outcome: Outcome): void {
    this.#abortedAs ??= outcome;
    if (this.#controller) this.#controller.abort(new Error('aborted'));
    // While it is connecting, undici offers no way to abort it.
    else this.#finish(outcome);
  }
}

function readOrUndefined(data: string) {
  try {
    return parseChunk(data);
  } catch {
    return undefined;
  }
}

function numberIn(header: string | string[] | undefined): number | undefined {
  const value = typeof header === 'string' && header !== '' ? Number(header) : Number.NaN;
  return Number.isNaN(value) ? undefined : value;
}

/** The result of one request. Times are `performance.now()` in ms. */
export type Outcome =
  | {
      readonly kind: 'done';
      readonly endedAt: number;
      readonly usage: { readonly input: number; readonly output: number } | undefined;
      /** Number of chunks with content; 1 without streaming. */
      readonly pieces: number;
      readonly firstAt: number | undefined;
      readonly lastAt: number | undefined;
      /** Time in the gateway's queue, if reported. */
      readonly queuedMs: number | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly endedAt: number;
      /** Such as `503 queue_full`, `connection ECONNREFUSED`, `timeout`. */
      readonly failure: string;
      readonly retryAfterMs: number | undefined;
      /** No response: the server may have closed a kept-alive connection. */
      readonly hadNoResponse: boolean;
    }
  /** The measurement was interrupted. */
  | { readonly kind: 'abandoned' };

/** Milliseconds, from `retry-after-ms` or `retry-after` in seconds or as a date. */
export function readRetryAfter(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: number,
): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (ms >= 0) return ms;
  const retryAfter = headers['retry-after'];
  if (typeof retryAfter !== 'string') return undefined;
  const wait = /^\d+(\.\d+)?$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** The system's name of the error, which contains nothing of a prompt. */
export function faultName(error: Error & { readonly code?: unknown; readonly cause?: unknown }): string {
  const { code, cause } = error;
  if (typeof code === 'string' && code !== 'UND_ERR_SOCKET') return `connection ${code}`;
  const deeper = (cause as { code?: unknown } | undefined)?.code;
  return `connection ${typeof deeper === 'string' ? deeper : 'closed'}`;
}
