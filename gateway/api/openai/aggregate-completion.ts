import type { Aggregator } from '../aggregate/aggregator.ts';
import { type ChunkFrame, CompletionFrame } from './aggregate-frame.ts';
import { addLogprobs, type Logprobs } from './aggregate-logprobs.ts';

interface Chunk extends ChunkFrame {
  readonly choices?: readonly ChoicePiece[];
}

interface ChoicePiece {
  readonly index?: number;
  readonly text?: string;
  readonly logprobs?: Logprobs | null;
  readonly finish_reason?: string | null;
}

interface Choice {
  text: string;
  readonly index: number;
  logprobs: Record<string, unknown[]> | null;
  finish_reason: string | null;
}

/** The answer of /v1/completions: a choice for each prompt. */
export class CompletionAggregator implements Aggregator {
  readonly #frame = new CompletionFrame();
  readonly #choices: Choice[] = [];
  #finished = 0;

  /** With several prompts llama-server's stream begins with `null`. */
  add(event: unknown): void {
    const chunk = event as Chunk | null;
    if (chunk === null) return;
    for (const piece of chunk.choices ?? []) this.#addTo(this.#choice(piece.index ?? 0), piece);
    this.#frame.add(chunk, this.#finished);
  }

  result(): object | undefined {
    const choices = Object.values(this.#choices);
    const isWhole = choices.length > 0 && choices.every(({ finish_reason }) => finish_reason !== null);
    return isWhole ? this.#frame.wrap('text_completion', choices) : undefined;
  }

  #choice(index: number): Choice {
    this.#choices[index] ??= { text: '', index, logprobs: null, finish_reason: null };
    return this.#choices[index];
  }

  #addTo(choice: Choice, { text, logprobs, finish_reason }: ChoicePiece): void {
    choice.text += text ?? '';
    if (logprobs) {
      choice.logprobs ??= {};
      addLogprobs(choice.logprobs, logprobs);
    }
    if (finish_reason) {
      choice.finish_reason = finish_reason;
      this.#finished = choice.index;
    }
  }
}
