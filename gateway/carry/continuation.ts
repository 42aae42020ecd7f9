import { bodyForTheEnd, bodyWithSaid, bodyWithTokensLeft, isSpent } from '../continuation/continued-body.ts';
import { openSeam } from '../continuation/open-seam.ts';
import { type Plan, planContinuation } from '../continuation/plan-continuation.ts';
import type { Seam } from '../continuation/seam.ts';
import { type Said, Spoken } from '../continuation/spoken.ts';
import type { AnswerShape } from '../openai/assemble/assembly.ts';
import { DropRepeated } from '../prefill/drop-repeated.ts';
import { readsExplicitly } from '../prefill/explicitly.ts';
import { prefillOf, wantsEcho } from '../prefill/prefill.ts';
import type { PrefillHabit } from '../prefill/prefill-habit.ts';
import { RepeatedText } from '../prefill/repeated-text.ts';
import type { Listener } from '../upstream/event-stream-relay.ts';
import { countInput, countText } from './count-input.ts';
import { learnHabit, type OwnPrefill, type Prepared } from './own-prefill.ts';
import { asksForStream, type Sending } from './sending.ts';

/** Of a request that is sent again as it was. */
const whole = {
  content: '',
  over: 'no',
  isRepeatedAtEnd: true,
  moved: { input: undefined, spent: 0, unheard: 0 },
} as const;

/** The engine that is to go on with an answer does not; `message` says why. */
export class NotContinued extends Error {
  override readonly name = 'NotContinued';
}

/** Hears what an answer says, so that another engine can take it up where this one dies. */
export class Continuation {
  readonly spoken: Spoken;
  readonly listen: Listener;
  readonly #sending: Sending;
  readonly #shape: AnswerShape;

  /** Undefined for what is not asked for as a stream of a kind that can be continued, and where `CONTINUE_STREAMS` is off. */
  static for(sending: Sending): Continuation | undefined {
    const { route, request, parts } = sending;
    if (route.shape === undefined || !asksForStream(request) || !parts.config.admission.continueStreams)
      return undefined;
    return new Continuation(sending, route.shape);
  }

  private constructor(sending: Sending, shape: AnswerShape) {
    this.spoken = new Spoken(shape);
    this.listen = (events) => this.spoken.add(events);
    this.#sending = sending;
    this.#shape = shape;
  }

  /** `hasBegun`: the client holds a part of the answer. */
  plan(hasBegun: boolean): Plan {
    const { weight } = this.#sending.request;
    const [shape, fields, spoken] = [this.#shape, this.#fields, this.spoken];
    return planContinuation({ shape, fields, weight, hasBegun, spoken });
  }

  /** To be called when a backend is there to be asked. Throws NotContinued. */
  async resume(plan: Plan, ownPrefill: OwnPrefill | undefined): Promise<Prepared> {
    if (plan.how === 'go-on') return this.#goOn(this.#withoutEcho(plan.said));
    const { opening, closing } = this.spoken;
    const seam = openSeam(this.#shape, { ...whole, opening, closing });
    const prepared = await ownPrefill?.prepare();
    return { body: prepared?.body ?? this.#sending.request.body, seam: joined(prepared?.seam, seam) };
  }

  async #goOn(said: Said): Promise<Prepared> {
    const shape = this.#shape;
    const habit = await this.#learnHabit();
    const { opening, closing } = this.spoken;
    const { body } = this.#sending.request;
    const fields = this.#fields;
    const withSaid = bodyWithSaid(shape, body, fields, said);
    const { input, spent } = await this.#count(said);
    const isAtLimit = isSpent(shape, fields, spent);
    const over = isAtLimit ? 'at-limit' : closing === '' ? 'no' : 'told';
    const { content } = said;
    const isRepeatedAtEnd = habit.pieceRepeats;
    const moved = { input, spent, unheard: isAtLimit ? 1 : 0 };
    const seam = openSeam(shape, { opening, closing, content, over, isRepeatedAtEnd, moved });
    const prefill = habit.streamRepeats ? prefillOf(shape, JSON.parse(withSaid.toString())) : undefined;
    const sent =
      over === 'no'
        ? bodyWithTokensLeft(shape, withSaid, fields, spent)
        : bodyForTheEnd(shape, withSaid, fields);
    return { body: sent, seam: joined(prefill && new DropRepeated(shape, prefill, true), seam) };
  }

  async #learnHabit(): Promise<PrefillHabit> {
    // The prompt of a completion is text, and its stream tells what comes behind it.
    if (this.#shape === 'completion') return { continues: true, streamRepeats: false, pieceRepeats: false };
    const habit = await learnHabit(this.#sending, this.#shape, readsExplicitly(this.#shape));
    if (habit === undefined)
      throw new NotContinued('this llama-server does not tell how it continues an answer');
    if (!habit.continues) throw new NotContinued('this llama-server begins another answer instead');
    return habit;
  }

  /** A client that wanted its own beginning told again has read it as a part of the answer. */
  #withoutEcho(said: Said): Said {
    const fields = this.#fields;
    const prefill = wantsEcho(this.#shape, fields) ? prefillOf(this.#shape, fields) : undefined;
    if (prefill === undefined) return said;
    return {
      content: new RepeatedText(prefill.texts).rest(said.content),
      reasoning: new RepeatedText([prefill.reasoning]).rest(said.reasoning),
    };
  }

  get #fields(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.#sending.request.body.toString());
  }

  /** Where the backend cannot say how many tokens were said, one for each event. */
  async #count({ content, reasoning }: Said): Promise<{ input: number | undefined; spent: number }> {
    const { route, parts, request, record } = this.#sending;
    const counting = { ...parts.counting, patienceMs: PATIENCE };
    const [input, said, thought] = await Promise.all([
      countInput(counting, route, request.body),
      countText(counting, content, record.model),
      reasoning === '' ? 0 : countText(counting, reasoning, record.model),
    ]);
    if (said === undefined || thought === undefined) return { input, spent: this.spoken.generated };
    return { input, spent: said + thought + (reasoning === '' ? 0 : MARKS_OF_A_THOUGHT) };
  }
}

/** Longer than a busy engine takes to count: what is not counted here is told wrongly. */
const PATIENCE = 15_000;

/** One where it begins and one where it ends, as most templates have it. */
const MARKS_OF_A_THOUGHT = 2;

/** What passes both, the first of them first. */
function joined(first: Seam | undefined, second: Seam): Seam {
  if (first === undefined) return second;
  return { events: (events) => second.events(first.events(events)) };
}
