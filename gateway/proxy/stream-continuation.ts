import { readPrefill, wantsEcho } from '../api/prefill.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { supportsContinueFields } from '../resume/continue-fields.ts';
import { createResumeRewriter } from '../resume/create-resume-rewriter.ts';
import { planResume, type ResumePlan } from '../resume/plan-resume.ts';
import type { PrefillBehaviour } from '../resume/prefill-behaviour.ts';
import { PrefillStripper } from '../resume/prefill-stripper.ts';
import { PrefixStripper } from '../resume/prefix-stripper.ts';
import { bodyForOneToken, bodyWithText, bodyWithTokensLeft, isLimitReached } from '../resume/resume-body.ts';
import type { ResumeRewriter } from '../resume/resume-rewriter.ts';
import { Transcript, type TranscriptText } from '../resume/transcript.ts';
import type { EventObserver } from '../upstream/event-stream-relay.ts';
import { type ClientPrefill, learnHabit, type PreparedRequest } from './client-prefill.ts';
import { countInputTokens, countTextTokens } from './count-input-tokens.ts';
import { type ProxyContext, requestsStream } from './proxy-context.ts';

/** Of a request that is sent again as it was. */
const whole = {
  content: '',
  finished: 'no',
  closingRepeatsText: true,
  tokenShift: { input: undefined, generatedBefore: 0, discarded: 0 },
} as const;

/** The engine that is to go on with an answer does not; `message` says why. */
export class CannotContinue extends Error {
  override readonly name = 'NotContinued';
}

/** Hears what an answer says, so that another engine can take it up where this one dies. */
export class StreamContinuation {
  readonly transcript: Transcript;
  readonly observe: EventObserver;
  readonly #sending: ProxyContext;
  readonly #shape: CompletionShape;

  /** Undefined for what is not asked for as a stream of a kind that can be continued, and where `CONTINUE_STREAMS` is off. */
  static for(sending: ProxyContext): StreamContinuation | undefined {
    const { route, request, services } = sending;
    if (route.shape === undefined || !requestsStream(request) || !services.config.admission.continueStreams)
      return undefined;
    return new StreamContinuation(sending, route.shape);
  }

  private constructor(sending: ProxyContext, shape: CompletionShape) {
    this.transcript = new Transcript(shape);
    this.observe = (events) => this.transcript.add(events);
    this.#sending = sending;
    this.#shape = shape;
  }

  /** `hasBegun`: the client holds a part of the answer. */
  plan(hasBegun: boolean): ResumePlan {
    const { weight } = this.#sending.request;
    const [shape, fields, spoken] = [this.#shape, this.#fields, this.transcript];
    return planResume({ shape, fields, weight, isPartlySent: hasBegun, transcript: spoken });
  }

  /** To be called when a backend is there to be asked. Throws NotContinued. */
  async resume(plan: ResumePlan, ownPrefill: ClientPrefill | undefined): Promise<PreparedRequest> {
    if (plan.how === 'go-on') return this.#goOn(this.#withoutEcho(plan.said));
    const { opening, closing } = this.transcript;
    const seam = createResumeRewriter(this.#shape, { ...whole, opening, closing });
    const prepared = await ownPrefill?.prepare();
    return { body: prepared?.body ?? this.#sending.request.body, rewriter: joined(prepared?.rewriter, seam) };
  }

  async #goOn(said: TranscriptText): Promise<PreparedRequest> {
    const shape = this.#shape;
    const habit = await this.#learnHabit();
    const { opening, closing } = this.transcript;
    const { body } = this.#sending.request;
    const fields = this.#fields;
    const withSaid = bodyWithText(shape, body, fields, said);
    const { input, spent } = await this.#count(said);
    const isAtLimit = isLimitReached(shape, fields, spent);
    const over = isAtLimit ? 'at-limit' : closing === '' ? 'no' : 'told';
    const { content } = said;
    const isRepeatedAtEnd = habit.jsonRepeats;
    const moved = { input, generatedBefore: spent, discarded: isAtLimit ? 1 : 0 };
    const seam = createResumeRewriter(shape, {
      opening,
      closing,
      content,
      finished: over,
      closingRepeatsText: isRepeatedAtEnd,
      tokenShift: moved,
    });
    const prefill = habit.streamRepeats ? readPrefill(shape, JSON.parse(withSaid.toString())) : undefined;
    const sent =
      over === 'no'
        ? bodyWithTokensLeft(shape, withSaid, fields, spent)
        : bodyForOneToken(shape, withSaid, fields);
    return { body: sent, rewriter: joined(prefill && new PrefillStripper(shape, prefill, true), seam) };
  }

  async #learnHabit(): Promise<PrefillBehaviour> {
    // The prompt of a completion is text, and its stream tells what comes behind it.
    if (this.#shape === 'completion') return { continues: true, streamRepeats: false, jsonRepeats: false };
    const habit = await learnHabit(this.#sending, this.#shape, supportsContinueFields(this.#shape));
    if (habit === undefined)
      throw new CannotContinue('this llama-server does not tell how it continues an answer');
    if (!habit.continues) throw new CannotContinue('this llama-server begins another answer instead');
    return habit;
  }

  /** A client that wanted its own beginning told again has read it as a part of the answer. */
  #withoutEcho(said: TranscriptText): TranscriptText {
    const fields = this.#fields;
    const prefill = wantsEcho(this.#shape, fields) ? readPrefill(this.#shape, fields) : undefined;
    if (prefill === undefined) return said;
    return {
      content: new PrefixStripper(prefill.texts).strip(said.content),
      reasoning: new PrefixStripper([prefill.reasoning]).strip(said.reasoning),
    };
  }

  get #fields(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.#sending.request.body.toString());
  }

  /** Where the backend cannot say how many tokens were said, one for each event. */
  async #count({
    content,
    reasoning,
  }: TranscriptText): Promise<{ input: number | undefined; spent: number }> {
    const { route, services, request, record } = this.#sending;
    const counting = { ...services.counting, timeoutMs: PATIENCE };
    const [input, said, thought] = await Promise.all([
      countInputTokens(counting, route, request.body),
      countTextTokens(counting, content, record.model),
      reasoning === '' ? 0 : countTextTokens(counting, reasoning, record.model),
    ]);
    if (said === undefined || thought === undefined) return { input, spent: this.transcript.generated };
    return { input, spent: said + thought + (reasoning === '' ? 0 : MARKS_OF_A_THOUGHT) };
  }
}

/** Longer than a busy engine takes to count: what is not counted here is told wrongly. */
const PATIENCE = 15_000;

/** One where it begins and one where it ends, as most templates have it. */
const MARKS_OF_A_THOUGHT = 2;

/** What passes both, the first of them first. */
function joined(first: ResumeRewriter | undefined, second: ResumeRewriter): ResumeRewriter {
  if (first === undefined) return second;
  return { rewriteEvents: (events) => second.rewriteEvents(first.rewriteEvents(events)) };
}
