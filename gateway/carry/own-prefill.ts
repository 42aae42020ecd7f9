import type { Seam } from '../continuation/seam.ts';
import type { AnswerShape } from '../openai/assemble/assembly.ts';
import { DropRepeated } from '../prefill/drop-repeated.ts';
import { bodyExplicitly, readsExplicitly } from '../prefill/explicitly.ts';
import type { Prefill } from '../prefill/prefill.ts';
import type { PrefillHabit } from '../prefill/prefill-habit.ts';
import { asksForStream, type Sending } from './sending.ts';

/** What is sent, and what its answer passes first. */
export interface Prepared {
  readonly body: Buffer;
  readonly seam: Seam | undefined;
}

/**
 * The beginning of an answer that the client itself has given. Whatever the build of llama-server, a stream tells only
 * what is new.
 */
export class OwnPrefill {
  readonly #sending: Sending;
  readonly #shape: AnswerShape;
  readonly #prefill: Prefill;
  #habit: PrefillHabit | undefined;

  /** Undefined where there is none, where the client wants it told again, and where no stream is asked for. */
  static for(sending: Sending): OwnPrefill | undefined {
    const { request, route } = sending;
    if (route.shape === undefined || request.prefill === undefined || !asksForStream(request))
      return undefined;
    return new OwnPrefill(sending, route.shape, request.prefill);
  }

  private constructor(sending: Sending, shape: AnswerShape, prefill: Prefill) {
    this.#sending = sending;
    this.#shape = shape;
    this.#prefill = prefill;
  }

  /** Whether an answer in one piece would begin with it. What no engine has told is taken to be as llama-server 0.7.0 has it. */
  get isRepeatedInOnePiece(): boolean {
    return this.#habit?.pieceRepeats ?? true;
  }

  /** To be called when a backend is there to be asked. */
  async prepare(): Promise<Prepared> {
    const { body } = this.#sending.request;
    this.#habit = await learnHabit(this.#sending, this.#shape, false);
    if (!this.#habit?.streamRepeats) return { body, seam: undefined };
    const explicit = readsExplicitly(this.#shape) && (await learnHabit(this.#sending, this.#shape, true));
    const seam = new DropRepeated(this.#shape, this.#prefill, false);
    if (!explicit) return { body, seam };
    return { body: bodyExplicitly(this.#shape, body), seam: explicit.streamRepeats ? seam : undefined };
  }
}

/** How this request's engine continues an answer; undefined where it does not tell. */
export async function learnHabit(
  { parts, record }: Sending,
  api: AnswerShape,
  isExplicit: boolean,
): Promise<PrefillHabit | undefined> {
  if (api === 'completion') return undefined;
  const model = parts.watch.isRouter ? record.model : undefined;
  return parts.prefillHabits.learn({ api, isExplicit, model });
}
