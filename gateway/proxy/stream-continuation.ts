import { type Prefill, readPrefill, wantsEcho } from '../api/prefill.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { countInputTokens, countTextTokens } from '../engines/count-tokens.ts';
import { planResume, type ResumePlan } from '../resume/plan-resume.ts';
import type { PrefillBehaviour, PrefillQuery } from '../resume/prefill-probe.ts';
import { PrefillStripper, PrefixStripper } from '../resume/prefill-stripper.ts';
import {
  bodyForOneToken,
  bodyWithText,
  bodyWithTokensLeft,
  isLimitReached,
  supportsContinueFields,
  withContinueFields,
} from '../resume/resume-body.ts';
import type { ResumeRewriter } from '../resume/resume-point.ts';
import { createResumeRewriter } from '../resume/resume-rewriters.ts';
import { Transcript, type TranscriptText } from '../resume/transcript.ts';
import type { EventObserver } from '../upstream/event-stream-relay.ts';
import { requestsStream } from './parse-request.ts';
import type { ProxyContext } from './proxy-context.ts';

/** What is sent, and what its response passes first. */
export interface PreparedRequest {
  readonly body: Buffer;
  readonly rewriter: ResumeRewriter | undefined;
}

/** The engine does not continue a response; `message` is the reason. */
export class CannotContinue extends Error {
  override readonly name = 'CannotContinue';
}

/** Longer than a busy engine takes to count: without the count, usage is wrong. */
const COUNT_TIMEOUT = 15_000;

/** One where the reasoning begins and one where it ends, as in most chat templates. */
const REASONING_MARKER_TOKENS = 2;

/** For a request that is sent again as it was. */
const fromTheStart = {
  content: '',
  finished: 'no',
  closingRepeatsText: true,
  tokenShift: { input: undefined, generatedBefore: 0, discarded: 0 },
} as const;

/** Keeps the text of a response, so that another engine can continue it if this one crashes. */
export class StreamContinuation {
  readonly transcript: Transcript;
  readonly observe: EventObserver;
  readonly #context: ProxyContext;
  readonly #shape: CompletionShape;

  /** Undefined if the backend is not asked for a stream that can be continued, and with `CONTINUE_STREAMS=false`. */
  static for(context: ProxyContext): StreamContinuation | undefined {
    const { route, request, services } = context;
    if (route.shape === undefined || !requestsStream(request) || !services.config.admission.continueStreams)
      return undefined;
    return new StreamContinuation(context, route.shape);
  }

  private constructor(context: ProxyContext, shape: CompletionShape) {
    this.transcript = new Transcript(shape);
    if (context.sent !== undefined) this.transcript.add(context.sent.events);
    this.observe = (events) => this.transcript.add(events);
    this.#context = context;
    this.#shape = shape;
  }

  /** `isPartlySent`: the client has a part of the response. */
  plan(isPartlySent: boolean): ResumePlan {
    const { sequences } = this.#context.request;
    const [shape, fields, transcript] = [this.#shape, this.#fields, this.transcript];
    return planResume({ shape, fields, sequences, isPartlySent, transcript });
  }

  /**
   * Whether the response can be continued if its exchange is cut off now, of which the client has received nothing. Not while
   * it is unknown how its engine does that: see `probe`.
   */
  get mayBeContinued(): boolean {
    if (this.plan(false).action !== 'continue') return false;
    const query = prefillQuery(this.#context, this.#shape, supportsContinueFields(this.#shape));
    if (query === undefined) return true;
    return this.#context.engine.prefillProbe.known(query)?.continues ?? false;
  }

  /** Finds out how the engine continues a response. At once where that is known. To be called while a backend is ready. */
  probe(): void | Promise<void> {
    const behaviour = getPrefillBehaviour(this.#context, this.#shape, supportsContinueFields(this.#shape));
    return behaviour instanceof Promise ? behaviour.then(() => undefined) : undefined;
  }

  /** To be called while a backend is ready. Throws CannotContinue. */
  async resume(plan: ResumePlan, clientPrefill: ClientPrefill | undefined): Promise<PreparedRequest> {
    if (plan.action === 'continue') return this.#continueText(this.#withoutEcho(plan.text));
    const { opening, closing } = this.transcript;
    const rewriter = createResumeRewriter(this.#shape, { ...fromTheStart, opening, closing });
    const prepared = await clientPrefill?.prepare();
    return {
      body: prepared?.body ?? this.#context.request.body,
      rewriter: chain(prepared?.rewriter, rewriter),
    };
  }

  async #continueText(text: TranscriptText): Promise<PreparedRequest> {
    const shape = this.#shape;
    const { sent, isBackground, record, modelName } = this.#context;
    // It can begin anew; a client that reads a stream is better served by any model than by an error.
    if (isBackground && (sent === undefined ? record.model : sent.model) !== modelName())
      throw new CannotContinue('another model would go on with it');
    const behaviour = await this.#prefillBehaviour();
    const { opening, closing } = this.transcript;
    const fields = this.#fields;
    const withText = bodyWithText(shape, this.#context.request.body, fields, text);
    const { input, generated } = await this.#count(text);
    const isAtLimit = isLimitReached(shape, fields, generated);
    const finished = isAtLimit ? 'limit-reached' : closing === '' ? 'no' : 'complete';
    const rewriter = createResumeRewriter(shape, {
      opening,
      closing,
      content: text.content,
      finished,
      closingRepeatsText: behaviour.jsonRepeats,
      tokenShift: { input, generatedBefore: generated, discarded: isAtLimit ? 1 : 0 },
    });
    const prefill = behaviour.streamRepeats ? readPrefill(shape, JSON.parse(withText.toString())) : undefined;
    const body =
      finished === 'no'
        ? bodyWithTokensLeft(shape, withText, fields, generated)
        : bodyForOneToken(shape, withText, fields);
    return { body, rewriter: chain(prefill && new PrefillStripper(shape, prefill, true), rewriter) };
  }

  async #prefillBehaviour(): Promise<PrefillBehaviour> {
    // The prompt of a completion is text, and its stream has only what follows.
    if (this.#shape === 'completion') return { continues: true, streamRepeats: false, jsonRepeats: false };
    const behaviour = await getPrefillBehaviour(
      this.#context,
      this.#shape,
      supportsContinueFields(this.#shape),
    );
    if (behaviour === undefined)
      throw new CannotContinue('it is unknown how this llama-server continues a response');
    if (!behaviour.continues) throw new CannotContinue('this llama-server begins a new response instead');
    return behaviour;
  }

  /** If the client asked for its own prefill to be repeated, the transcript begins with it. */
  #withoutEcho(text: TranscriptText): TranscriptText {
    const fields = this.#fields;
    const prefill = wantsEcho(this.#shape, fields) ? readPrefill(this.#shape, fields) : undefined;
    if (prefill === undefined) return text;
    return {
      content: new PrefixStripper(prefill.texts).strip(text.content),
      reasoning: new PrefixStripper([prefill.reasoning]).strip(text.reasoning),
    };
  }

  get #fields(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.#context.request.body.toString());
  }

  /** If the backend cannot count the generated tokens, each event counts as one. */
  async #count({
    content,
    reasoning,
  }: TranscriptText): Promise<{ input: number | undefined; generated: number }> {
    const { route, engine, request, record } = this.#context;
    const counting = { ...engine.counting, timeoutMs: COUNT_TIMEOUT };
    const [input, contentTokens, reasoningTokens] = await Promise.all([
      countInputTokens(counting, route, request.body),
      countTextTokens(counting, content, record.model),
      reasoning === '' ? 0 : countTextTokens(counting, reasoning, record.model),
    ]);
    if (contentTokens === undefined || reasoningTokens === undefined)
      return { input, generated: this.transcript.generated };
    const markers = reasoning === '' ? 0 : REASONING_MARKER_TOKENS;
    return { input, generated: contentTokens + reasoningTokens + markers };
  }
}

/**
 * The beginning of a response that the client itself has given. Whatever the build of llama-server, a stream has only what
 * follows.
 */
export class ClientPrefill {
  readonly #context: ProxyContext;
  readonly #shape: CompletionShape;
  readonly #prefill: Prefill;
  #behaviour: PrefillBehaviour | undefined;

  /** Undefined without a prefill, if the client wants it repeated, and if the backend is not asked for a stream. */
  static for(context: ProxyContext): ClientPrefill | undefined {
    const { request, route } = context;
    if (route.shape === undefined || request.prefill === undefined || !requestsStream(request))
      return undefined;
    return new ClientPrefill(context, route.shape, request.prefill);
  }

  private constructor(context: ProxyContext, shape: CompletionShape, prefill: Prefill) {
    this.#context = context;
    this.#shape = shape;
    this.#prefill = prefill;
  }

  /** Whether a JSON response would begin with it. If unknown, llama-server 0.7.0 is assumed. */
  get isRepeatedInJson(): boolean {
    return this.#behaviour?.jsonRepeats ?? true;
  }

  /** To be called while a backend is ready. At once where the behaviour of the backend is known and needs no change. */
  prepare(): PreparedRequest | Promise<PreparedRequest> {
    const behaviour = getPrefillBehaviour(this.#context, this.#shape, false);
    return behaviour instanceof Promise
      ? behaviour.then((probed) => this.#prepareFor(probed))
      : this.#prepareFor(behaviour);
  }

  #prepareFor(behaviour: PrefillBehaviour | undefined): PreparedRequest | Promise<PreparedRequest> {
    this.#behaviour = behaviour;
    if (behaviour?.streamRepeats) return this.#prepareRepeating();
    return { body: this.#context.request.body, rewriter: undefined };
  }

  async #prepareRepeating(): Promise<PreparedRequest> {
    const { body } = this.#context.request;
    const explicit =
      supportsContinueFields(this.#shape) && (await getPrefillBehaviour(this.#context, this.#shape, true));
    const stripper = new PrefillStripper(this.#shape, this.#prefill, false);
    if (!explicit) return { body, rewriter: stripper };
    return {
      body: withContinueFields(this.#shape, body),
      rewriter: explicit.streamRepeats ? stripper : undefined,
    };
  }
}

/** How this request's engine continues a response; undefined if that is unknown. */
function getPrefillBehaviour(
  context: ProxyContext,
  api: CompletionShape,
  isExplicit: boolean,
): PrefillBehaviour | undefined | Promise<PrefillBehaviour | undefined> {
  const query = prefillQuery(context, api, isExplicit);
  return query && context.engine.prefillProbe.get(query);
}

/** Undefined for completions, whose prompt is text. */
function prefillQuery(
  { engine, record }: ProxyContext,
  api: CompletionShape,
  isExplicit: boolean,
): PrefillQuery | undefined {
  if (api === 'completion') return undefined;
  return { api, isExplicit, model: engine.monitor.isRouter ? record.model : undefined };
}

function chain(first: ResumeRewriter | undefined, second: ResumeRewriter): ResumeRewriter {
  if (first === undefined) return second;
  return { rewriteEvents: (events) => second.rewriteEvents(first.rewriteEvents(events)) };
}
