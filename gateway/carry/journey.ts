import { setTimeout as sleep } from 'node:timers/promises';
import type { Claim } from '../admission/admission.ts';
import type { Plan } from '../continuation/plan-continuation.ts';
import type { Assembly } from '../openai/assemble/assembly.ts';
import { openAssembly } from '../openai/assemble/open-assembly.ts';
import { BackendAway } from '../prefill/ask-prefill.ts';
import { cannotContinue, engineKeptDying } from '../refusal/catalogue.ts';
import { Refusal } from '../refusal/refusal.ts';
import { AnswerEnds } from '../upstream/answer-ends.ts';
import { EventStreamRelay } from '../upstream/event-stream-relay.ts';
import type { Ending } from '../upstream/exchange.ts';
import { classifyFailure, type Failure } from '../upstream/failure.ts';
import { Continuation, NotContinued } from './continuation.ts';
import { afterFailure, mayTryAgain, type Tries, wasTheCause } from './next-step.ts';
import type { Answered } from './note-answer.ts';
import { OwnPrefill, type Prepared } from './own-prefill.ts';
import { digestOf } from './refuse-culprit.ts';
import { sendOnce } from './send-once.ts';
import type { Sending } from './sending.ts';
import { unlessCutOff } from './unless-cut-off.ts';

/** Between tries at a backend that says that it is ready, ms. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

/** What there is of an answer so far. */
interface Answer {
  readonly ends: AnswerEnds;
  /** Where it is to be in one piece. */
  readonly assembly: Assembly | undefined;
  /** Undefined where no other engine can go on with it. */
  readonly continuation: Continuation | undefined;
  /** Where the client itself has begun it. */
  readonly ownPrefill: OwnPrefill | undefined;
}

/**
 * The way of one request to its answer, over as many engines as that takes. A backend that is away, or dies, costs a
 * request time and nothing else: what has said nothing is sent again, what has spoken is continued.
 */
export class Journey {
  readonly #sending: Sending;
  readonly #claim: Claim;
  #answer: Answer;
  /** Of a stream that has begun: its client holds a part of it, so there is no other answer any more. */
  #relay: EventStreamRelay | undefined;
  #plan: Plan | undefined;
  #tries: Tries | undefined;

  constructor(sending: Sending, claim: Claim) {
    this.#sending = sending;
    this.#claim = claim;
    this.#answer = newAnswer(sending);
  }

  /** Throws the Refusal of a request that has not begun to be answered, and ClientGone where its client left. */
  async complete(): Promise<Answered> {
    for (;;) {
      const heard = this.#heard;
      const ending = await this.#send();
      if (ending === 'not-continued') {
        this.#startAnew();
        continue;
      }
      if (ending instanceof Refusal) return this.#answered({ outcome: 'refused', refusal: ending });
      if (ending.outcome === 'failed' && ending.relay instanceof EventStreamRelay) this.#relay = ending.relay;
      const next = this.#nextAfter(ending, this.#heard > heard);
      if (next !== 'again') return this.#answered(next);
    }
  }

  get #heard(): number {
    return this.#answer.continuation?.spoken.generated ?? 0;
  }

  /** One that is refused, or left, while it waits to be continued has an answer that ends so, and costs what was said of it. */
  async #send(): Promise<Ending | Refusal | 'not-continued'> {
    const { cutOff } = this.#sending.parts;
    const { ends, assembly, continuation } = this.#answer;
    const [relay, plan] = [this.#relay, this.#plan];
    const claim = this.#tries === undefined ? this.#claim : { ...this.#claim, again: true };
    const prepare = this.#preparation(plan);
    const before = this.#heard;
    const progress = () => (this.#planNext() === undefined ? 0 : this.#heard - before);
    const attempt = { ends, assembly, relay, listen: continuation?.listen, prepare, progress };
    try {
      if (this.#tries !== undefined) await unlessCutOff(this.#untilNextTry(this.#tries.tries), cutOff);
      return await sendOnce(this.#sending, claim, attempt);
    } catch (error) {
      if (error instanceof BackendAway)
        return { outcome: 'failed', failure: { kind: 'unreachable', cause: error }, relay };
      if (error instanceof NotContinued) return relay ? cannotContinue(error.message) : 'not-continued';
      if (relay === undefined && this.#heard === 0) throw error;
      if (error instanceof Refusal) return error;
      return { outcome: 'failed', failure: classifyFailure(error), relay };
    }
  }

  /** A backend that is ready and yet away, as a router without its child is, gets a moment that grows with each try. */
  async #untilNextTry(tries: number): Promise<void> {
    const { parts, signal } = this.#sending;
    await parts.watch.look();
    if (tries > 1 && parts.watch.standing === 'ready')
      await sleep(Math.min(FIRST_PAUSE * 2 ** (tries - 2), LONGEST_PAUSE), undefined, { signal }).catch(
        () => {},
      );
  }

  #preparation(plan: Plan | undefined): (() => Promise<Prepared>) | undefined {
    const { continuation, ownPrefill } = this.#answer;
    if (plan && continuation) return () => continuation.resume(plan, ownPrefill);
    return ownPrefill && (() => ownPrefill.prepare());
  }

  #nextAfter(ending: Ending, wasHeard: boolean): 'again' | Answered['ending'] {
    const { parts, request, record } = this.#sending;
    const { maxReplays, timeoutMs: patienceMs } = parts.config.admission;
    if (ending.outcome === 'complete') return ending;
    if (ending.outcome === 'failed' && hasGone(ending.failure)) parts.prefillHabits.forget();
    this.#plan = this.#planNext();
    const now = performance.now();
    const hasGotOn = wasHeard && this.#plan !== undefined;
    this.#tries = afterFailure(this.#tries, ending, { hasGotOn, now });
    if (mayTryAgain(ending, this.#tries, { maxReplays, patienceMs }, now)) return this.#again(ending);
    if (!wasTheCause(this.#tries, maxReplays)) return ending;
    record.digest = digestOf(request.body);
    return { outcome: 'refused', refusal: engineKeptDying(this.#tries.brokenOff) };
  }

  /** Undefined where the request is to be sent again as it was: of that, too little or nothing of its answer is kept. */
  #planNext(): Plan | undefined {
    const plan = this.#answer.continuation?.plan(this.#relay !== undefined);
    return this.#relay !== undefined || plan?.how === 'go-on' ? plan : undefined;
  }

  #again(ending: Ending): 'again' | Answered['ending'] {
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

  #answered(ending: Answered['ending']): Answered {
    const { route, request } = this.#sending;
    return { route, request, ending, ends: this.#answer.ends, relay: this.#relay };
  }
}

function newAnswer(sending: Sending): Answer {
  const { assembledAs } = sending.request;
  const ownPrefill = OwnPrefill.for(sending);
  const isRepeated = () => ownPrefill?.isRepeatedInOnePiece ?? false;
  return {
    ends: new AnswerEnds(),
    assembly: assembledAs && openAssembly(assembledAs, isRepeated),
    continuation: Continuation.for(sending),
    ownPrefill,
  };
}

/** What answers at the backend's address from now on may be another one. */
const hasGone = ({ kind }: Failure) => kind === 'broke-off' || kind === 'unreachable';

/** Against a backend that says a word and dies, at once and for ever; an engine takes its time to come back. */
const MOST_CONTINUATIONS = 100;
