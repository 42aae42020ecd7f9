import { setTimeout as sleep } from 'node:timers/promises';
import type { Aggregator } from '../api/aggregation.ts';
import { createAggregator } from '../api/create-aggregator.ts';
import { ApiError } from '../errors/api-error.ts';
import { cannotContinue, engineKeptCrashing } from '../errors/catalogue.ts';
import type { ResumePlan } from '../resume/plan-resume.ts';
import { BackendUnreachable } from '../resume/probe-prefill.ts';
import type { LeaseRequest } from '../scheduler/scheduler.ts';
import { EventStreamRelay } from '../upstream/event-stream-relay.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import { classifyFailure, type Failure } from '../upstream/failure.ts';
import { ResponseTail } from '../upstream/relay.ts';
import { runAttempt } from './attempt.ts';
import { ClientPrefill, type PreparedRequest } from './client-prefill.ts';
import type { ProxyContext } from './proxy-context.ts';
import { raceShutdown } from './race-shutdown.ts';
import type { ProxyResult } from './record-result.ts';
import { bodyDigest } from './reject-if-blocked.ts';
import { type Attempts, isLikelyCrashCause, recordFailure, shouldRetry } from './retry-policy.ts';
import { CannotContinue, StreamContinuation } from './stream-continuation.ts';

/** Between tries at a backend that says that it is ready, ms. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

/** What there is of an answer so far. */
interface Answer {
  readonly ends: ResponseTail;
  /** Where it is to be in one piece. */
  readonly assembly: Aggregator | undefined;
  /** Undefined where no other engine can go on with it. */
  readonly continuation: StreamContinuation | undefined;
  /** Where the client itself has begun it. */
  readonly ownPrefill: ClientPrefill | undefined;
}

/**
 * The way of one request to its answer, over as many engines as that takes. A backend that is away, or dies, costs a
 * request time and nothing else: what has said nothing is sent again, what has spoken is continued.
 */
export class RetryLoop {
  readonly #sending: ProxyContext;
  readonly #claim: LeaseRequest;
  #answer: Answer;
  /** Of a stream that has begun: its client holds a part of it, so there is no other answer any more. */
  #relay: EventStreamRelay | undefined;
  #plan: ResumePlan | undefined;
  #tries: Attempts | undefined;

  constructor(sending: ProxyContext, claim: LeaseRequest) {
    this.#sending = sending;
    this.#claim = claim;
    this.#answer = newAnswer(sending);
  }

  /** Throws the Refusal of a request that has not begun to be answered, and ClientGone where its client left. */
  async run(): Promise<ProxyResult> {
    for (;;) {
      const heard = this.#heard;
      const ending = await this.#send();
      if (ending === 'not-continued') {
        this.#startAnew();
        continue;
      }
      if (ending instanceof ApiError) return this.#answered({ outcome: 'refused', refusal: ending });
      if (ending.outcome === 'failed' && ending.relay instanceof EventStreamRelay) this.#relay = ending.relay;
      const next = this.#nextAfter(ending, this.#heard > heard);
      if (next !== 'again') return this.#answered(next);
    }
  }

  get #heard(): number {
    return this.#answer.continuation?.transcript.generated ?? 0;
  }

  /** One that is refused, or left, while it waits to be continued has an answer that ends so, and costs what was said of it. */
  async #send(): Promise<ExchangeResult | ApiError | 'not-continued'> {
    const { shutdown } = this.#sending.services;
    const { ends, assembly, continuation } = this.#answer;
    const [relay, plan] = [this.#relay, this.#plan];
    const claim = this.#tries === undefined ? this.#claim : { ...this.#claim, requeued: true };
    const prepare = this.#preparation(plan);
    const before = this.#heard;
    const progress = () => (this.#planNext() === undefined ? 0 : this.#heard - before);
    const attempt = {
      tail: ends,
      aggregator: assembly,
      relay,
      observe: continuation?.observe,
      prepare,
      progress,
    };
    try {
      if (this.#tries !== undefined) await raceShutdown(this.#untilNextTry(this.#tries.count), shutdown);
      return await runAttempt(this.#sending, claim, attempt);
    } catch (error) {
      if (error instanceof BackendUnreachable)
        return { outcome: 'failed', failure: { kind: 'unreachable', cause: error }, relay };
      if (error instanceof CannotContinue) return relay ? cannotContinue(error.message) : 'not-continued';
      if (relay === undefined && this.#heard === 0) throw error;
      if (error instanceof ApiError) return error;
      return { outcome: 'failed', failure: classifyFailure(error), relay };
    }
  }

  /** A backend that is ready and yet away, as a router without its child is, gets a moment that grows with each try. */
  async #untilNextTry(tries: number): Promise<void> {
    const { services, signal } = this.#sending;
    await services.watch.probe();
    if (tries > 1 && services.watch.status === 'ready')
      await sleep(Math.min(FIRST_PAUSE * 2 ** (tries - 2), LONGEST_PAUSE), undefined, { signal }).catch(
        () => {},
      );
  }

  #preparation(plan: ResumePlan | undefined): (() => Promise<PreparedRequest>) | undefined {
    const { continuation, ownPrefill } = this.#answer;
    if (plan && continuation) return () => continuation.resume(plan, ownPrefill);
    return ownPrefill && (() => ownPrefill.prepare());
  }

  #nextAfter(ending: ExchangeResult, wasHeard: boolean): 'again' | ProxyResult['result'] {
    const { services, request, record } = this.#sending;
    const { maxReplays, timeoutMs: patienceMs } = services.config.admission;
    if (ending.outcome === 'complete') return ending;
    if (ending.outcome === 'failed' && hasGone(ending.failure)) services.prefillProbe.clear();
    this.#plan = this.#planNext();
    const now = performance.now();
    const hasGotOn = wasHeard && this.#plan !== undefined;
    this.#tries = recordFailure(this.#tries, ending, { hasGotOn, now });
    if (shouldRetry(ending, this.#tries, { maxReplays, maxWaitMs: patienceMs }, now))
      return this.#again(ending);
    if (!isLikelyCrashCause(this.#tries, maxReplays)) return ending;
    record.digest = bodyDigest(request.body);
    return { outcome: 'refused', refusal: engineKeptCrashing(this.#tries.brokenOff) };
  }

  /** Undefined where the request is to be sent again as it was: of that, too little or nothing of its answer is kept. */
  #planNext(): ResumePlan | undefined {
    const plan = this.#answer.continuation?.plan(this.#relay !== undefined);
    return this.#relay !== undefined || plan?.how === 'go-on' ? plan : undefined;
  }

  #again(ending: ExchangeResult): 'again' | ProxyResult['result'] {
    const { record } = this.#sending;
    const plan = this.#plan;
    if (plan === undefined && this.#relay === undefined) {
      this.#startAnew();
      return 'again';
    }
    if (plan === undefined || (record.continued ?? 0) >= MOST_CONTINUATIONS) return ending;
    if (plan.how === 'none') return { outcome: 'refused', refusal: cannotContinue(plan.why) };
    record.continued = (record.continued ?? 0) + 1;
    if (plan.how !== 'close') return 'again';
    this.#relay?.close();
    return { outcome: 'complete' };
  }

  /** Nothing of the answer is kept, of which its client has heard nothing. */
  #startAnew(): void {
    const { record } = this.#sending;
    record.retries = (record.retries ?? 0) + 1;
    this.#plan = undefined;
    this.#answer = newAnswer(this.#sending);
  }

  #answered(ending: ProxyResult['result']): ProxyResult {
    const { route, request } = this.#sending;
    return { route, request, result: ending, tail: this.#answer.ends, relay: this.#relay };
  }
}

function newAnswer(sending: ProxyContext): Answer {
  const { aggregation } = sending.request;
  const ownPrefill = ClientPrefill.for(sending);
  const isRepeated = () => ownPrefill?.isRepeatedInJson ?? false;
  return {
    ends: new ResponseTail(),
    assembly: aggregation && createAggregator(aggregation, isRepeated),
    continuation: StreamContinuation.for(sending),
    ownPrefill,
  };
}

/** What answers at the backend's address from now on may be another one. */
const hasGone = ({ kind }: Failure) => kind === 'broke-off' || kind === 'unreachable';

/** Against a backend that says a word and dies, at once and for ever; an engine takes its time to come back. */
const MOST_CONTINUATIONS = 100;
