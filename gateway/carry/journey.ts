import { createHash } from 'node:crypto';
import type { Claim } from '../admission/admission.ts';
import type { Plan } from '../continuation/plan-continuation.ts';
import { cannotContinue, engineKeptDying } from '../refusal/catalogue.ts';
import { Refusal } from '../refusal/refusal.ts';
import { AnswerEnds } from '../upstream/answer-ends.ts';
import { EventStreamRelay } from '../upstream/event-stream-relay.ts';
import type { Ending } from '../upstream/exchange.ts';
import { classifyFailure } from '../upstream/failure.ts';
import { afterFailure, mayTryAgain, type Tries, wasTheCause } from './next-step.ts';
import type { Answered } from './note-answer.ts';
import { sendOnce } from './send-once.ts';
import type { Sending } from './sending.ts';
import { StreamContinuation } from './stream-continuation.ts';

/**
 * The way of one request to its answer, over as many engines as that takes. A backend that is away, or dies, costs a
 * request time and nothing else: what has said nothing is sent again, a stream that has spoken is continued.
 */
export class Journey {
  readonly #sending: Sending;
  readonly #claim: Claim;
  readonly #continuation: StreamContinuation | undefined;
  #ends = new AnswerEnds();
  /** Of a stream that has begun. */
  #relay: EventStreamRelay | undefined;
  #plan: Plan | undefined;
  #tries: Tries | undefined;

  constructor(sending: Sending, claim: Claim) {
    this.#sending = sending;
    this.#claim = claim;
    this.#continuation = StreamContinuation.for(sending);
  }

  /** Throws the Refusal of a request that has not begun to be answered, and ClientGone where its client left. */
  async complete(): Promise<Answered> {
    for (;;) {
      const heard = this.#heard;
      const ending = await this.#send();
      if (ending instanceof Refusal) return this.#answered({ outcome: 'refused', refusal: ending });
      if (ending.outcome === 'failed' && ending.relay instanceof EventStreamRelay) this.#relay = ending.relay;
      const hasGotOn = this.#heard > heard;
      const next = this.#nextAfter(ending, hasGotOn);
      if (next !== 'again') return this.#answered(next);
      await this.#sending.parts.watch.look();
    }
  }

  get #heard(): number {
    return this.#continuation?.spoken.generated ?? 0;
  }

  /** One that is refused, or left, while it waits to be continued has an answer that ends so. */
  async #send(): Promise<Ending | Refusal> {
    const [relay, plan, continuation] = [this.#relay, this.#plan, this.#continuation];
    if (relay === undefined) this.#ends = new AnswerEnds();
    const claim = this.#tries === undefined ? this.#claim : { ...this.#claim, again: true };
    const resume = relay && plan && continuation && (() => continuation.resume(plan, relay));
    try {
      return await sendOnce(this.#sending, claim, { ends: this.#ends, listen: continuation?.listen, resume });
    } catch (error) {
      if (relay === undefined) throw error;
      if (error instanceof Refusal) return error;
      return { outcome: 'failed', failure: classifyFailure(error), relay };
    }
  }

  #nextAfter(ending: Ending, hasGotOn: boolean): 'again' | Answered['ending'] {
    const { parts, request, record } = this.#sending;
    const { maxReplays, timeoutMs: patienceMs } = parts.config.admission;
    if (ending.outcome === 'complete') return ending;
    const now = performance.now();
    this.#tries = afterFailure(this.#tries, ending, { hasGotOn, now });
    if (mayTryAgain(ending, this.#tries, { maxReplays, patienceMs }, now)) return this.#again(ending);
    if (!wasTheCause(this.#tries, maxReplays)) return ending;
    record.digest = createHash('sha256').update(request.body).digest('hex').slice(0, DIGEST_LENGTH);
    return { outcome: 'refused', refusal: engineKeptDying(this.#tries.brokenOff) };
  }

  #again(ending: Ending): 'again' | Answered['ending'] {
    const { record } = this.#sending;
    if (this.#relay === undefined) {
      record.retries = (record.retries ?? 0) + 1;
      return 'again';
    }
    if (this.#continuation === undefined || (record.continued ?? 0) >= MOST_CONTINUATIONS) return ending;
    this.#plan = this.#continuation.plan();
    if (this.#plan.how === 'none') return { outcome: 'refused', refusal: cannotContinue(this.#plan.why) };
    record.continued = (record.continued ?? 0) + 1;
    if (this.#plan.how !== 'close') return 'again';
    this.#relay.close();
    return { outcome: 'complete' };
  }

  #answered(ending: Answered['ending']): Answered {
    const { route, request } = this.#sending;
    return { route, request, ending, ends: this.#ends, relay: this.#relay };
  }
}

/** Against a backend that says a word and dies, at once and for ever; an engine takes its time to come back. */
const MOST_CONTINUATIONS = 100;

/** Enough to find the same request again, and nothing of what it says. */
const DIGEST_LENGTH = 16;
