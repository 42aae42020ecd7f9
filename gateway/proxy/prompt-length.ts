import type { ApiRequest } from '../api/request/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { CancelSignal } from '../cancellation.ts';
import { countInputUnlessSuspect } from '../engines/count-tokens.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import { contextLengthExceeded } from '../errors/catalogue.ts';
import type { Lease, LeaseRequest } from '../scheduler/lease.ts';
import type { ProxyContext } from './proxy-context.ts';
import { abortError, admissionError } from './result-errors.ts';
import { isTruncatable, mayNeedTruncation, truncatePrompt } from './truncate-prompt.ts';

/** Only prompts that are estimated at this part of the context or more are counted; the engine judges the others. */
const SUSPICIOUS = 0.75;
/** How long a count may take, ms. To serve such a request would take the engine as long before its first token. */
const COUNT_TIMEOUT = 600_000;

type Serving = Pick<ProxyContext, 'model' | 'engine'>;

/**
 * Whether a prompt looks too long for the context. Several prompts in one request have a slot each. `mayWait`: one that may be
 * shortened waits for an engine that is not ready, whose context is unknown.
 */
export function mayExceedContext(
  route: ApiRoute,
  request: ApiRequest,
  { monitor }: Pick<EngineServices, 'monitor'>,
  mayWait: boolean,
): boolean {
  if (route.countPath === undefined || !route.generates || request.sequences !== 1) return false;
  const isReady = monitor.status === 'ready';
  const context = monitor.props?.contextPerSlot;
  if (!isTruncatable(request)) return isReady && context !== undefined && isSuspicious(request, context);
  if (!isReady) return mayWait;
  return context !== undefined && mayNeedTruncation(request, context);
}

const isSuspicious = ({ estimate }: ApiRequest, context: number) => estimate.input >= context * SUSPICIOUS;

/**
 * The request with a prompt that fits the context. Throws the ApiError of one that does not, before it waits for a slot. The
 * backend itself counts such prompts, a few at a time.
 */
export async function fitPrompt(
  route: ApiRoute,
  request: ApiRequest,
  serving: Serving,
  leaseRequest: LeaseRequest,
): Promise<ApiRequest> {
  const { model, engine } = serving;
  const admission = await engine.countingScheduler.admit(leaseRequest);
  if (admission.outcome === 'moved') {
    // The engine judges the prompt itself, unless it is to be shortened.
    if (!isTruncatable(request)) return request;
    const moved = { ...leaseRequest, requeued: true, since: admission.since };
    return fitPrompt(route, request, { model, engine: model.pickEngine(undefined) }, moved);
  }
  if (admission.outcome !== 'granted') throw admissionError(admission, model, engine, leaseRequest.signal);
  const counter = new PromptCounter(route, engine, admission.lease, leaseRequest.signal);
  try {
    const context = engine.monitor.props?.contextPerSlot ?? Number.POSITIVE_INFINITY;
    const count = (body: Buffer) => counter.count(body);
    const { request: fitted, tokens } = isTruncatable(request)
      ? await truncatePrompt(request, context, count)
      : { request, tokens: await count(request.body) };
    if (tokens !== undefined && tokens >= context) throw contextLengthExceeded(tokens, context);
    return fitted;
  } finally {
    counter.release();
  }
}

/** Counts prompts while it holds a lease. */
class PromptCounter {
  readonly #route: ApiRoute;
  readonly #engine: EngineServices;
  readonly #lease: Lease;
  readonly #signal: CancelSignal;
  #last: Promise<unknown> = Promise.resolve();

  constructor(route: ApiRoute, engine: EngineServices, lease: Lease, signal: CancelSignal) {
    this.#route = route;
    this.#engine = engine;
    this.#lease = lease;
    this.#signal = signal;
  }

  /** Undefined if the backend cannot count it. Throws an ApiError when the client has left. */
  count(body: Buffer): Promise<number | undefined> {
    const counting = { ...this.#engine.counting, timeoutMs: COUNT_TIMEOUT };
    const counted = countInputUnlessSuspect(counting, this.#route, body);
    this.#last = counted;
    return raceAbort(counted, this.#signal);
  }

  /** The engine counts to the end, even if the client has left: so long the lease is out. */
  release(): void {
    this.#last.catch(() => {}).finally(() => this.#lease[Symbol.dispose]());
  }
}

async function raceAbort<T>(promise: Promise<T>, signal: CancelSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(abortError(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
