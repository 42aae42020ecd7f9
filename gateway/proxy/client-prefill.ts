import type { Prefill } from '../api/prefill.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { supportsContinueFields, withContinueFields } from '../resume/continue-fields.ts';
import type { PrefillBehaviour } from '../resume/prefill-behaviour.ts';
import { PrefillStripper } from '../resume/prefill-stripper.ts';
import type { ResumeRewriter } from '../resume/resume-rewriter.ts';
import { type ProxyContext, requestsStream } from './proxy-context.ts';

/** What is sent, and what its answer passes first. */
export interface PreparedRequest {
  readonly body: Buffer;
  readonly rewriter: ResumeRewriter | undefined;
}

/**
 * The beginning of an answer that the client itself has given. Whatever the build of llama-server, a stream tells only
 * what is new.
 */
export class ClientPrefill {
  readonly #sending: ProxyContext;
  readonly #shape: CompletionShape;
  readonly #prefill: Prefill;
  #habit: PrefillBehaviour | undefined;

  /** Undefined where there is none, where the client wants it told again, and where no stream is asked for. */
  static for(sending: ProxyContext): ClientPrefill | undefined {
    const { request, route } = sending;
    if (route.shape === undefined || request.prefill === undefined || !requestsStream(request))
      return undefined;
    return new ClientPrefill(sending, route.shape, request.prefill);
  }

  private constructor(sending: ProxyContext, shape: CompletionShape, prefill: Prefill) {
    this.#sending = sending;
    this.#shape = shape;
    this.#prefill = prefill;
  }

  /** Whether an answer in one piece would begin with it. What no engine has told is taken to be as llama-server 0.7.0 has it. */
  get isRepeatedInJson(): boolean {
    return this.#habit?.jsonRepeats ?? true;
  }

  /** To be called when a backend is there to be asked. */
  async prepare(): Promise<PreparedRequest> {
    const { body } = this.#sending.request;
    this.#habit = await learnHabit(this.#sending, this.#shape, false);
    if (!this.#habit?.streamRepeats) return { body, rewriter: undefined };
    const explicit =
      supportsContinueFields(this.#shape) && (await learnHabit(this.#sending, this.#shape, true));
    const seam = new PrefillStripper(this.#shape, this.#prefill, false);
    if (!explicit) return { body, rewriter: seam };
    return {
      body: withContinueFields(this.#shape, body),
      rewriter: explicit.streamRepeats ? seam : undefined,
    };
  }
}

/** How this request's engine continues an answer; undefined where it does not tell. */
export async function learnHabit(
  { services, record }: ProxyContext,
  api: CompletionShape,
  isExplicit: boolean,
): Promise<PrefillBehaviour | undefined> {
  if (api === 'completion') return undefined;
  const model = services.watch.isRouter ? record.model : undefined;
  return services.prefillProbe.get({ api, isExplicit, model });
}
