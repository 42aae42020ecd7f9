import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { hasEnded } from '../api/stream-markers.ts';
import type { Usage } from '../api/usage.ts';
import type { RequestClass } from '../scheduler/lane.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import type { ResponseTail } from '../upstream/relay.ts';

/**
 * What is known of one request: filled in on its way, passed to the observers at its end. Times are `performance.now()` ms.
 * Every field exists from the start, so that all records have one shape.
 */
export class RequestRecord {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** The client's, as far as it is known (http/client-address.ts). */
  readonly address: string;
  readonly startedAt = performance.now();
  /** Undefined if requests are not traced. */
  trace: RequestTrace | undefined;
  keyId: string | undefined;
  /** Which of the users of the key, where it tells them apart: a hash. */
  user: string | undefined;
  /** The client used the secret from before the last rotation. */
  previousSecret = false;
  /** Why its token was rejected. */
  tokenProblem: string | undefined;
  /** The batch that the request is a line of. */
  batch: string | undefined;
  model: string | undefined;
  streamed: boolean | undefined;
  /** What the response cache did; undefined without one. */
  cache: 'hit' | 'miss' | 'bypass' | undefined;
  queuedMs: number | undefined;
  /** How many leases of slots it holds now. None while it waits, also after its engine has died. */
  leases = 0;
  /** The records of the parts of a request that is split, each of which has leases of its own. */
  parts: readonly RequestRecord[] | undefined;
  /** Time at the backend, ms. */
  computeMs: number | undefined;
  /** Its slots, as a part of all slots. */
  machineShare: number | undefined;
  /** How often it was sent again. */
  retries: number | undefined;
  /** How often its stream was continued by another engine. */
  continued: number | undefined;
  /** How often its slots went to other requests before it was complete; only a line of a batch gives way. */
  preempted: number | undefined;
  /** Tokens that were generated for it and thrown away when it gave way. */
  discardedTokens: number | undefined;
  /** Identifies a request that crashed the engine too often. */
  digest: string | undefined;
  /** When the first byte of the response body went out. */
  firstByteAt: number | undefined;
  bytesOut = 0;
  /** What has gone to the client so far. */
  responseTail: ResponseTail | undefined;
  usage: Usage | undefined;
  /** Resolves when `usage` is complete, if its tokens have to be counted or estimated after the end. */
  pendingUsage: Promise<void> | undefined;
  /** Input tokens to add to `usage` (negative: to subtract) once they have been counted. */
  usageCorrection: Promise<number> | undefined;
  endedAt: number | undefined;
  finishReason: string | undefined;
  /** Code of the error that ended the request. */
  error: string | undefined;
  /** The cause of that error, for the log alone. */
  cause: unknown;

  constructor({ id, method, path, address }: RequestStart) {
    this.id = id;
    this.method = method;
    this.path = path.includes('sk-') || path.includes('eyJ') ? redactSecrets(path) : path;
    this.address = address;
  }
}

/** Whether it holds slots, instead of waiting for them. */
export const isRunning = ({ leases, parts }: RequestRecord): boolean =>
  leases > 0 || (parts?.some(isRunning) ?? false);

type RequestStart = Pick<RequestRecord, 'id' | 'method' | 'path' | 'address'>;

export function createRequestRecord(start: RequestStart): RequestRecord {
  return new RequestRecord(start);
}

/** Clients put keys and tokens into URLs by mistake, as `/sk-…/v1` or `/v1/models/sk-…`: no observer may pass them on. */
const redactSecrets = (path: string) =>
  path.replace(/sk-[\w-]{8,}/g, 'sk-…').replace(/eyJ[\w-]{8,}(?:\.[\w-]*)*/g, 'eyJ…');

/** The trace of one request. */
export interface RequestTrace {
  /** The trace id, for the log. */
  readonly id: string;
  /** Starts the span of a wait for a slot; call the returned function with its outcome. */
  startWait(): (outcome: string) => void;
  /** Starts the span of an exchange with the backend, one per attempt. */
  startExchange(upstreamPath: string): ExchangeTrace;
  /** Call when the response has closed and the record is complete. */
  end(outcome: { readonly status: number; readonly outcome: string }): void;
}

export interface ExchangeTrace {
  /** The header value that identifies our span to the backend. */
  readonly traceparent: string;
  end(result: ExchangeResult): void;
}

/** Status of a request whose client left before the response was complete; nobody receives it. */
const CLIENT_LEFT = 499;

/** How a request ended, as its client saw it. */
export interface RequestOutcome {
  /** What the client got; 499 if it left. */
  readonly status: number;
  /** broken_off: the response had begun and could not be finished. */
  readonly outcome: 'ok' | 'refused' | 'broken_off' | 'client_left';
}

/** `completed`: the complete response has gone out. */
export function getOutcome({ error }: RequestRecord, status: number, completed: boolean): RequestOutcome {
  if (!completed) return { status: CLIENT_LEFT, outcome: 'client_left' };
  if (status >= 400) return { status, outcome: 'refused' };
  return { status, outcome: error === undefined ? 'ok' : 'broken_off' };
}

/** Whether a stream has its end marker: many clients hang up when they read it, before the response is closed. */
export function reachedStreamEnd({ streamed, responseTail }: RequestRecord): boolean {
  if (!streamed || responseTail === undefined) return false;
  const tail = responseTail.fullText();
  return dialects.some((dialect) => hasEnded(dialect, tail));
}

const dialects = ['openai', 'responses', 'anthropic', 'native'] as const;

/** A request is over: its response has closed and its record is complete. */
export interface RequestFinished {
  readonly record: RequestRecord;
  readonly end: RequestOutcome;
  /** The route pattern that matched, such as `/v1/models/:id{.+}`. */
  readonly pattern: string;
  readonly priority: RequestClass | undefined;
}

/** A promise that it returns is for work that a shutdown has to wait for. */
export type RequestObserver = (event: RequestFinished) => void | Promise<void>;

/** Passes each finished request to every observer, once. Observers learn of requests in no other way. */
export class RequestEvents {
  readonly #observers: readonly RequestObserver[];
  #pending = 0;
  #onIdle: (() => void)[] = [];

  constructor(observers: readonly RequestObserver[]) {
    this.#observers = observers;
  }

  /** Counts a request as pending until `finish` is called for it. */
  begin(): void {
    this.#pending += 1;
  }

  /** Call once for each request that has begun, when its response has closed. */
  finish(event: RequestFinished): void {
    for (const observer of this.#observers) this.#notify(observer, event);
    this.#end();
  }

  /** A failure of one observer is logged and does not affect the others. */
  #notify(observer: RequestObserver, event: RequestFinished): void {
    try {
      const work = observer(event);
      if (!(work instanceof Promise)) return;
      this.#pending += 1;
      work.catch(recordUnhandledError).finally(() => this.#end());
    } catch (error) {
      recordUnhandledError(error);
    }
  }

  #end(): void {
    this.#pending -= 1;
    if (this.#pending === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Resolves when no request is pending, or after so many ms. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#pending === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle.push(resolve);
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
  }
}
