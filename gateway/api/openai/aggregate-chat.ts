import type { Aggregator } from '../aggregate/aggregator.ts';
import { type ChunkFrame, CompletionFrame } from './aggregate-frame.ts';
import { addLogprobs, type Logprobs } from './aggregate-logprobs.ts';
import { addToolCalls, type ToolCall, type ToolCallPiece } from './aggregate-tool-calls.ts';

interface Chunk extends ChunkFrame {
  readonly choices?: readonly ChoicePiece[];
}

interface ChoicePiece {
  readonly index?: number;
  readonly delta?: Readonly<Record<string, unknown>>;
  readonly logprobs?: Logprobs | null;
  readonly finish_reason?: string | null;
}

interface Choice {
  finish_reason: string | null;
  readonly index: number;
  readonly message: Record<string, unknown>;
  logprobs?: Record<string, unknown[]>;
}

/** The answer of /v1/chat/completions. */
export class ChatAggregator implements Aggregator {
  readonly #frame = new CompletionFrame();
  readonly #choices: Choice[] = [];
  readonly #begun: () => string;
  #finished = 0;

  /** `begun` is asked when the answer begins. */
  constructor(begun: () => string) {
    this.#begun = begun;
  }

  add(event: unknown): void {
    const chunk = event as Chunk;
    for (const piece of chunk.choices ?? []) this.#addTo(this.#choice(piece.index ?? 0), piece);
    this.#frame.add(chunk, this.#finished);
  }

  result(): object | undefined {
    const choices = Object.values(this.#choices);
    const isWhole = choices.length > 0 && choices.every(({ finish_reason }) => finish_reason !== null);
    return isWhole ? this.#frame.wrap('chat.completion', choices) : undefined;
  }

  #choice(index: number): Choice {
    const message = { role: 'assistant', content: this.#begun() };
    this.#choices[index] ??= { finish_reason: null, index, message };
    return this.#choices[index];
  }

  #addTo(choice: Choice, { delta, logprobs, finish_reason }: ChoicePiece): void {
    if (delta) addDelta(choice.message, delta);
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

/** Texts grow, tool calls grow by their index, anything else is taken as it is. */
function addDelta(message: Record<string, unknown>, delta: Readonly<Record<string, unknown>>): void {
  for (const name in delta) {
    const value = delta[name];
    if (name === 'tool_calls') {
      message.tool_calls ??= [];
      addToolCalls(message.tool_calls as ToolCall[], value as ToolCallPiece[]);
    } else if (name === 'role' || value === null) {
      // The role is always the assistant's, and null is a text that has not begun.
    } else {
      const before = message[name];
      message[name] = typeof value === 'string' && typeof before === 'string' ? before + value : value;
    }
  }
}
