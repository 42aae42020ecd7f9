import { bodyForTheEnd, bodyWithSaid, bodyWithTokensLeft, isSpent } from '../continuation/continued-body.ts';
import { openSeam } from '../continuation/open-seam.ts';
import { type Plan, planContinuation } from '../continuation/plan-continuation.ts';
import type { Seam } from '../continuation/seam.ts';
import { type Said, Spoken } from '../continuation/spoken.ts';
import type { AnswerShape } from '../openai/assemble/assembly.ts';
import type { Listener } from '../upstream/event-stream-relay.ts';
import { countInput, countText } from './count-input.ts';
import { asksForStream, type Sending } from './sending.ts';

/** What another engine is sent, and what its answer passes to become the rest of the first one's. */
export interface Resumed {
  readonly body: Buffer;
  readonly seam: Seam;
}

/** Of a request that is sent again as it was. */
const whole = { content: '', over: 'no', moved: { input: undefined, spent: 0, unheard: 0 } } as const;

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

  /** To be called when a backend is there to be asked. */
  async resume(plan: Plan): Promise<Resumed> {
    const { opening, closing } = this.spoken;
    const { body } = this.#sending.request;
    if (plan.how !== 'go-on') {
      return { body, seam: openSeam(this.#shape, { ...whole, opening, closing }) };
    }
    const fields = this.#fields;
    const withSaid = bodyWithSaid(this.#shape, body, fields, plan.said);
    const { input, spent } = await this.#count(plan.said);
    const isAtLimit = isSpent(this.#shape, fields, spent);
    const over = isAtLimit ? 'at-limit' : closing === '' ? 'no' : 'told';
    const { content } = plan.said;
    const moved = { input, spent, unheard: isAtLimit ? 1 : 0 };
    const seam = openSeam(this.#shape, { opening, closing, content, over, moved });
    const sent =
      over === 'no'
        ? bodyWithTokensLeft(this.#shape, withSaid, fields, spent)
        : bodyForTheEnd(this.#shape, withSaid, fields);
    return { body: sent, seam };
  }

  get #fields(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.#sending.request.body.toString());
  }

  /** Where the backend cannot say how many tokens were said, one for each event. */
  async #count({ content, reasoning }: Said): Promise<{ input: number | undefined; spent: number }> {
    const { route, parts, request } = this.#sending;
    const counting = { ...parts.counting, patienceMs: PATIENCE };
    const [input, said, thought] = await Promise.all([
      countInput(counting, route, request.body),
      countText(counting, content),
      reasoning === '' ? 0 : countText(counting, reasoning),
    ]);
    if (said === undefined || thought === undefined) return { input, spent: this.spoken.generated };
    return { input, spent: said + thought + (reasoning === '' ? 0 : MARKS_OF_A_THOUGHT) };
  }
}

/** Longer than a busy engine takes to count: what is not counted here is told wrongly. */
const PATIENCE = 15_000;

/** One where it begins and one where it ends, as most templates have it. */
const MARKS_OF_A_THOUGHT = 2;
