import { setTimeout as sleep } from 'node:timers/promises';
import type { Aggregator } from '../api/aggregation.ts';
import { toAbortSignal } from '../cancellation.ts';
import { ApiError } from '../errors/api-error.ts';
import { cannotContinue, engineKeptCrashing } from '../errors/catalogue.ts';
import type { ResumePlan } from '../resume/plan-resume.ts';
import { BackendUnreachable } from '../resume/prefill-probe.ts';
import type { LeaseRequest } from '../scheduler/lease.ts';
import { EventStreamRelay } from '../upstream/event-stream-relay.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import { classifyFailure, type Failure } from '../upstream/failure.ts';
import { ResponseTail } from '../upstream/relay.ts';
import { type Attempt, raceShutdown, runAttempt } from './attempt.ts';
import { BatchLine } from './batch-line.ts';
import { createAggregator } from './client-format.ts';
import type { ProxyResult } from './finish.ts';
import { bodyDigest } from './parse-request.ts';
import type { ProxyContext } from './proxy-context.ts';
import { type Attempts, isLikelyCrashCause, recordFailure, rejectsKey, shouldRetry } from './retry-policy.ts';
import { CannotContinue, ClientPrefill, StreamContinuation } from './stream-continuation.ts';

/** The runner learns from it why a response has to begin anew. */
const beginAnew = 'x-corral-begin-anew';

/** Between attempts at a backend that claims to be ready, ms. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;
/** For a backend that sends a token and dies, at once and for ever; a real engine takes its time to come back. */
const MAX_CONTINUATIONS = 100;

/**
 * Sends one request to as many engines as it takes to get its complete response. A backend that is unreachable, or crashes, costs a
 * request only time: if the client has received nothing it is sent again, if the response has begun it is continued.
 * Throws the ApiError of a request whose response has not begun, and ClientDisconnected.
 */
export function proxyRequest(context: ProxyContext, leaseRequest: LeaseRequest): Promise<ProxyResult> {
  return new RetryLoop(context, leaseRequest).run();
}

/** What there is of a response so far. */
export interface PartialResponse {
  readonly tail: ResponseTail;
  /** Set if it is to be one JSON object. */
  readonly aggregator: Aggregator | undefined;
  /** Undefined if no other engine can continue it. */
  readonly continuation: StreamContinuation | undefined;
  /** Set if the client has given its beginning. */
  readonly clientPrefill: ClientPrefill | undefined;
}

class RetryLoop {
  readonly #context: ProxyContext;
  readonly #leaseRequest: LeaseRequest;
  #partial: PartialResponse;
  /** The relay of a stream that has begun. */
  #relay: EventStreamRelay | undefined;
  #plan: ResumePlan | undefined;
  #attempts: Attempts | undefined;
  /** Set for a line of a batch. */
  readonly #line: BatchLine | undefined;

  constructor(context: ProxyContext, leaseRequest: LeaseRequest) {
    this.#context = context;
    this.#partial = createPartialResponse(context);
    this.#line = context.isBatch ? new BatchLine(context, () => this.#partial) : undefined;
    this.#leaseRequest = this.#line === undefined ? leaseRequest : { ...leaseRequest, line: this.#line };
  }

  async run(): Promise<ProxyResult> {
    if (this.#context.sent !== undefined) this.#takeUp();
    for (;;) {
      const before = this.#generated;
      let result: ExchangeResult | ApiError | 'not-continued';
      try {
        if (this.#attempts !== undefined) await this.#pause(this.#attempts.count);
        result = await runAttempt(this.#context, this.#nextLeaseRequest, this.#nextAttempt(before));
      } catch (error) {
        result = this.#toResult(error);
      }
      if (result === 'not-continued') {
        this.#startOver();
        continue;
      }
      if (result instanceof ApiError) return this.#end({ outcome: 'rejected', error: result });
      if (result.outcome === 'failed' && result.relay instanceof EventStreamRelay) this.#relay = result.relay;
      const next = this.#decide(result, this.#generated > before);
      if (next !== 'again') return this.#end(next);
    }
  }

  /** Plans to go on behind the events that an earlier request has got. Throws an ApiError if that is not sound. */
  #takeUp(): void {
    const plan =
      this.#resumePlan() ?? ({ action: 'fail', reason: 'streams are not continued here' } as const);
    if (plan.action === 'fail') throw this.#rejectSent(plan.reason);
    this.#plan = plan;
    this.#context.record.continued = 1;
  }

  /** Says to the runner of background responses that this one has to begin anew. */
  #rejectSent(reason: string): ApiError {
    this.#context.response.setHeader(beginAnew, reason);
    return cannotContinue(reason);
  }

  /** The client has a part of the response, so it cannot be another one. */
  get #isPartlySent(): boolean {
    return this.#relay !== undefined || this.#context.sent !== undefined;
  }

  /** Tokens of the response so far. */
  get #generated(): number {
    return this.#partial.continuation?.transcript.generated ?? 0;
  }

  get #nextLeaseRequest(): LeaseRequest {
    const isFirst = this.#attempts === undefined && this.#context.record.preempted === undefined;
    return isFirst ? this.#leaseRequest : { ...this.#leaseRequest, requeued: true };
  }

  #nextAttempt(before: number): Attempt {
    const { tail, aggregator, continuation } = this.#partial;
    return {
      tail,
      aggregator,
      relay: this.#relay,
      observe: continuation?.observe,
      signal: this.#line?.beginAttempt() ?? this.#context.signal,
      prepare: this.#preparation(this.#plan),
      progress: () => (this.#resumePlan() === undefined ? 0 : this.#generated - before),
    };
  }

  /**
   * What an error means that was thrown before an exchange. One before the response has begun is thrown again. After that it
   * ends the response, and the tokens so far count: the request may be rejected, or its client may leave, while it waits to
   * be continued.
   */
  #toResult(error: unknown): ExchangeResult | ApiError | 'not-continued' {
    const relay = this.#relay;
    if (error instanceof BackendUnreachable)
      return { outcome: 'failed', failure: { kind: 'unreachable', cause: error }, relay };
    if (error instanceof CannotContinue) {
      if (relay === undefined && this.#context.sent !== undefined) throw this.#rejectSent(error.message);
      return relay ? cannotContinue(error.message) : 'not-continued';
    }
    if (relay === undefined && this.#generated === 0) throw error;
    if (error instanceof ApiError) return error;
    return { outcome: 'failed', failure: classifyFailure(error), relay };
  }

  /** A backend that is ready and yet unreachable, such as a router without its child, gets a pause that grows. */
  #pause(attempts: number): Promise<void> {
    return raceShutdown(this.#waitForBackend(attempts), this.#context.services.shutdown);
  }

  async #waitForBackend(attempts: number): Promise<void> {
    const { engine, signal } = this.#context;
    await engine.monitor.probe();
    if (attempts < 2 || engine.monitor.status !== 'ready') return;
    const pause = Math.min(FIRST_PAUSE * 2 ** (attempts - 2), LONGEST_PAUSE);
    await sleep(pause, undefined, { signal: toAbortSignal(signal) }).catch(() => {});
  }

  #preparation(plan: ResumePlan | undefined): Attempt['prepare'] {
    const { continuation, clientPrefill } = this.#partial;
    if (plan && continuation) return () => continuation.resume(plan, clientPrefill);
    const prepare = clientPrefill && (() => clientPrefill.prepare());
    if (this.#line === undefined || continuation === undefined) return prepare;
    // A line may be cut off at any time: what is then possible has to be known.
    return async () => {
      await continuation.probe();
      return prepare?.() ?? { body: this.#context.request.body, rewriter: undefined };
    };
  }

  #decide(result: ExchangeResult, hasNewTokens: boolean): 'again' | ProxyResult['result'] {
    const { services, model, engine, request, record } = this.#context;
    const { maxReplays } = services.config.admission;
    if (result.outcome === 'complete') return result;
    if (result.outcome === 'failed' && result.failure.kind === 'preempted') return this.#giveWay();
    if (result.outcome === 'failed' && mayBeReplaced(result.failure)) engine.prefillProbe.clear();
    this.#plan = this.#resumePlan();
    const now = performance.now();
    const madeProgress = hasNewTokens && this.#plan !== undefined;
    this.#attempts = recordFailure(this.#attempts, result, { madeProgress, now });
    const otherServes = rejectsKey(result) && model.avoid(engine);
    const maxWaitMs = this.#line === undefined ? model.queueTimeoutMs : Infinity;
    const limits = { maxReplays, maxWaitMs, otherServes };
    if (shouldRetry(result, this.#attempts, limits, now)) return this.#retry(result);
    if (!isLikelyCrashCause(this.#attempts, maxReplays)) return result;
    record.digest = bodyDigest(request.body);
    return { outcome: 'rejected', error: engineKeptCrashing(this.#attempts.brokenOff) };
  }

  /** Undefined if the request is to be sent again as it was: nothing, or too little, of its response is kept. */
  #resumePlan(): ResumePlan | undefined {
    const plan = this.#partial.continuation?.plan(this.#isPartlySent);
    return this.#isPartlySent || plan?.action === 'continue' ? plan : undefined;
  }

  #retry(result: ExchangeResult): 'again' | ProxyResult['result'] {
    const { record } = this.#context;
    const plan = this.#plan;
    if (plan === undefined && !this.#isPartlySent) {
      this.#startOver();
      return 'again';
    }
    if (plan === undefined || (record.continued ?? 0) >= MAX_CONTINUATIONS) return result;
    if (plan.action === 'fail') return { outcome: 'rejected', error: cannotContinue(plan.reason) };
    record.continued = (record.continued ?? 0) + 1;
    if (plan.action !== 'close') return 'again';
    this.#relay?.close();
    return { outcome: 'complete' };
  }

  /** A line of a batch goes on when slots are idle again. That it had to stop was no failure. */
  #giveWay(): 'again' {
    const { record } = this.#context;
    record.preempted = (record.preempted ?? 0) + 1;
    this.#plan = this.#resumePlan();
    if (this.#plan === undefined) this.#discard();
    return 'again';
  }

  #discard(): void {
    const { record } = this.#context;
    const { generated } = this.#partial.tail;
    if (this.#line !== undefined && generated > 0)
      record.discardedTokens = (record.discardedTokens ?? 0) + generated;
    this.#plan = undefined;
    this.#partial = createPartialResponse(this.#context);
  }

  /** Drops the response so far, of which the client has received nothing. */
  #startOver(): void {
    const { record } = this.#context;
    record.retries = (record.retries ?? 0) + 1;
    this.#discard();
  }

  #end(result: ProxyResult['result']): ProxyResult {
    return { result, tail: this.#partial.tail, relay: this.#relay };
  }
}

function createPartialResponse(context: ProxyContext): PartialResponse {
  const { aggregation } = context.request;
  const clientPrefill = ClientPrefill.for(context);
  const isRepeated = () => clientPrefill?.isRepeatedInJson ?? false;
  return {
    tail: new ResponseTail(),
    aggregator: aggregation && createAggregator(aggregation, isRepeated),
    continuation: StreamContinuation.for(context),
    clientPrefill,
  };
}

/** Another backend may be at the same address from now on. */
const mayBeReplaced = ({ kind }: Failure) => kind === 'broke-off' || kind === 'unreachable';
