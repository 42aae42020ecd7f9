import { randomInt } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher, Pool } from 'undici';
import { DataLineReader } from '../../sse/sse.ts';

export interface BenchRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Hears each piece of an answer when it arrives. `previous` is when the one before it came. */
export type OnChunk = (at: number, previous: number | undefined) => void;

const MAX_ERROR_BYTES = 16 * 1024;
const unheard: OnChunk = () => {};

/** Sends requests, and takes the times of their answers with as little between as possible. */
export class BenchClient {
  readonly #pool: Pool;
  readonly #timeoutMs: number;
  readonly #open = new Set<AnswerHandler>();
  /** So that its requests are to be found in the endpoint's logs. */
  readonly #name = `bench-${randomInt(36 ** 6).toString(36)}`;
  #asked = 0;
  #isOver = false;

  constructor(pool: Pool, timeoutMs: number) {
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
  }

  send({ path, headers, body }: BenchRequest, hear: OnChunk = unheard): Promise<Outcome> {
    if (this.#isOver) return Promise.resolve({ kind: 'abandoned' });
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const handler = new AnswerHandler(hear, this.#timeoutMs, (outcome) => {
      this.#open.delete(handler);
      resolve(outcome);
    });
    this.#open.add(handler);
    const named = { ...headers, 'x-request-id': `${this.#name}-${++this.#asked}` };
    this.#pool.dispatch({ method: 'POST', path, headers: named, body }, handler);
    return promise;
  }

  /** Breaks off what is under way, for good. */
  abandonAll(): void {
    this.#isOver = true;
    for (const handler of this.#open) handler.abandon();
  }
}

class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #hear: OnChunk;
  readonly #settle: (outcome: Outcome) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #brokenOff: Outcome | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #lines: DataLineReader | undefined;
  readonly #body: Buffer[] = [];
  #bodyBytes = 0;
  #pieces = 0;
  #firstAt: number | undefined;
  #lastAt: number | undefined;
  #usage: { input: number; output: number } | undefined;
  #isWhole = false;
  #error: string | undefined;

  constructor(hear: OnChunk, timeoutMs: number, settle: (outcome: Outcome) => void) {
    this.#hear = hear;
    this.#timer = setTimeout(() => this.#breakOff(this.#failure('timeout')), timeoutMs);
    this.#settle = (outcome) => {
      clearTimeout(this.#timer);
      settle(outcome);
    };
  }

  abandon(): void {
    this.#breakOff({ kind: 'abandoned' });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#brokenOff) controller.abort(new Error('broken off'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (status < 300 && headers['content-type']?.startsWith('text/event-stream'))
      this.#lines = new DataLineReader();
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    const at = performance.now();
    if (this.#lines) for (const data of this.#lines.read(chunk)) this.#take(data, at);
    else if (this.#status < 300 || this.#bodyBytes < MAX_ERROR_BYTES) {
      this.#body.push(chunk);
      this.#bodyBytes += chunk.length;
    }
  }

  #take(data: string, at: number): void {
    if (data === '[DONE]') {
      this.#isWhole = true;
      return;
    }
    const piece = readOrUndefined(data);
    this.#error ??= piece ? piece.error : 'not JSON';
    if (piece?.usage) this.#usage = piece.usage;
    if (piece?.isLast) this.#isWhole = true;
    if (piece?.hasContent) this.#spoke(at);
  }

  #spoke(at: number): void {
    this.#pieces += 1;
    this.#firstAt ??= at;
    this.#hear(at, this.#lastAt);
    this.#lastAt = at;
  }

  onResponseEnd(): void {
    this.#settle(this.#endedAs(performance.now()));
  }

  #endedAs(endedAt: number): Outcome {
    if (this.#status >= 300) return this.#refused();
    if (!this.#lines) this.#take(Buffer.concat(this.#body).toString(), endedAt);
    if (this.#error !== undefined) return this.#failure(`answer ${this.#error}`);
    if (this.#lines && !this.#isWhole) return this.#failure('answer cut short');
    return this.#done(endedAt);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#brokenOff) this.#settle(this.#brokenOff);
    // Cut behind its end mark, a stream is whole all the same.
    else if (this.#isWhole && this.#error === undefined) this.#settle(this.#done(performance.now()));
    else this.#settle(this.#failure(faultName(error)));
  }

  #done(endedAt: number): Outcome {
    return {
      kind: 'done',
      endedAt,
      usage: this.#usage,
      pieces: this.#pieces,
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      queuedMs: numberIn(this.#headers['x-queue-wait-ms']),
    };
  }

  #refused(): Outcome {
    const code = parseError(Buffer.concat(this.#body).toString());
    return this.#failure(code === undefined ? String(this.#status) : `${this.#status} ${code}`);
  }

  #failure(failure: string): Outcome {
    return {
      kind: 'failed',
      endedAt: performance.now(),
      failure,
      retryAfterMs: readRetryAfter(this.#headers, Date.now()),
      isUnheard: this.#status === 0 && /^connection (closed|ECONNRESET|EPIPE)$/.test(failure),
    };
  }

  #breakOff(outcome: Outcome): void {
    this.#brokenOff ??= outcome;
    if (this.#controller) this.#controller.abort(new Error('broken off'));
    // Still looking for a connection: undici has given nothing yet by which it could be stopped.
    else this.#settle(outcome);
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

/** What became of one request, all times in ms of `performance.now()`. */
export type Outcome =
  | {
      readonly kind: 'done';
      readonly endedAt: number;
      readonly usage: { readonly input: number; readonly output: number } | undefined;
      /** How often something was said: pieces of a stream, or 1. */
      readonly pieces: number;
      readonly firstAt: number | undefined;
      readonly lastAt: number | undefined;
      /** How long it waited in the gateway's line, where that was told. */
      readonly queuedMs: number | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly endedAt: number;
      /** Such as `503 queue_full`, `connection ECONNREFUSED`, `timeout`. */
      readonly failure: string;
      readonly retryAfterMs: number | undefined;
      /** Nothing came: the server may have closed a connection that was kept for the next request. */
      readonly isUnheard: boolean;
    }
  /** The measurement was broken off. */
  | { readonly kind: 'abandoned' };

/** Milliseconds, from `retry-after-ms` or `retry-after` in seconds or as a date. */
export function readRetryAfter(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: number,
): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (ms >= 0) return ms;
  const told = headers['retry-after'];
  if (typeof told !== 'string') return undefined;
  const wait = /^\d+(\.\d+)?$/.test(told) ? Number(told) * 1000 : Date.parse(told) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** The system's name of the fault, which no prompt can be in. */
export function faultName(error: Error & { readonly code?: unknown; readonly cause?: unknown }): string {
  const { code, cause } = error;
  if (typeof code === 'string' && code !== 'UND_ERR_SOCKET') return `connection ${code}`;
  const deeper = (cause as { code?: unknown } | undefined)?.code;
  return `connection ${typeof deeper === 'string' ? deeper : 'closed'}`;
}

/** What one event of a stream, or an answer in one piece, tells. */
interface StreamChunk {
  /** Whether something was said: text, thoughts, or a part of a tool call. */
  readonly hasContent: boolean;
  readonly isLast: boolean;
  /** Tokens, where they are told. */
  readonly usage: { readonly input: number; readonly output: number } | undefined;
  /** The code or type of an error. */
  readonly error: string | undefined;
}

interface Said {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly tool_calls?: unknown;
}

interface Answer {
  readonly choices?: readonly {
    readonly delta?: Said | null;
    readonly message?: Said | null;
    readonly text?: unknown;
    readonly finish_reason?: unknown;
  }[];
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown } | null;
  readonly error?: unknown;
}

/** Throws a SyntaxError for what is no JSON. */
export function parseChunk(text: string): StreamChunk {
  const { choices, usage, error } = (JSON.parse(text) ?? {}) as Answer;
  const all = Array.isArray(choices) ? (choices as NonNullable<Answer['choices']>) : [];
  return {
    hasContent: all.some(
      ({ delta, message, text: words }) => isSaid(words) || speaks(delta) || speaks(message),
    ),
    isLast: all.some(({ finish_reason }) => typeof finish_reason === 'string'),
    usage: readUsage(usage),
    error: error === undefined || error === null ? undefined : nameOfError(error),
  };
}

const isSaid = (words: unknown) => typeof words === 'string' && words !== '';

function speaks(said: Said | null | undefined): boolean {
  if (!said) return false;
  const { content, reasoning_content, reasoning, tool_calls } = said;
  return isSaid(content) || isSaid(reasoning_content) || isSaid(reasoning) || Array.isArray(tool_calls);
}

function readUsage(usage: Answer['usage']): StreamChunk['usage'] {
  const { prompt_tokens: input, completion_tokens: output } = usage ?? {};
  return typeof input === 'number' && typeof output === 'number' ? { input, output } : undefined;
}

/** Never the message: it may hold a part of the prompt. */
function nameOfError(error: unknown): string {
  const { code, type } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const name = [code, type].find((word) => typeof word === 'string' && /^[\w.-]{1,60}$/.test(word));
  return typeof name === 'string' ? name : typeof code === 'number' ? String(code) : 'error';
}

/** The same for the body of a refusal, which may be anything. */
export function parseError(body: string): string | undefined {
  try {
    return parseChunk(body).error;
  } catch {
    return undefined;
  }
}
