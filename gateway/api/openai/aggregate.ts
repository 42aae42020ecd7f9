import type { EventAggregator } from '../aggregation.ts';

/** A chunk of a stream, as far as it is read here. */
interface Chunk<Piece> {
  readonly id?: unknown;
  readonly created?: unknown;
  readonly model?: unknown;
  readonly system_fingerprint?: unknown;
  readonly usage?: object | null;
  readonly timings?: object;
  readonly choices?: readonly Piece[];
}

/** Log-probabilities of some tokens: lists by name (`content`, `refusal`). */
type Logprobs = Readonly<Record<string, unknown>>;

interface ChoicePiece {
  readonly index?: number;
  readonly logprobs?: Logprobs | null;
  readonly finish_reason?: string | null;
}

interface Choice {
  readonly index: number;
  finish_reason: string | null;
  logprobs?: Record<string, unknown[]> | null;
}

/** What the streams of both APIs have in common: chunks that extend choices. */
abstract class ChunkAggregator<OneChoice extends Choice, Piece extends ChoicePiece>
  implements EventAggregator
{
  readonly #object: string;
  readonly #choices: OneChoice[] = [];
  #first: Chunk<Piece> | undefined;
  #usage: object | null | undefined;
  #timings: object | undefined;
  /** The choice that ended last. */
  #finished = 0;

  constructor(object: string) {
    this.#object = object;
  }

  protected abstract createChoice(index: number): OneChoice;
  protected abstract extend(choice: OneChoice, piece: Piece): void;

  /** With several prompts llama-server's stream begins with `null`. */
  add(event: unknown): void {
    const chunk = event as Chunk<Piece> | null;
    if (chunk === null) return;
    for (const piece of chunk.choices ?? []) this.#addPiece(piece);
    this.#first ??= chunk;
    // llama-server's own JSON response has the usage of choice 0 alone.
    if (this.#usage && this.#finished !== 0) return;
    if (chunk.usage) this.#usage = chunk.usage;
    if (chunk.timings) this.#timings = chunk.timings;
  }

  result(): object | undefined {
    const choices = Object.values(this.#choices);
    const isComplete = choices.length > 0 && choices.every(({ finish_reason }) => finish_reason !== null);
    if (!isComplete || this.#first === undefined) return undefined;
    const { id, created, model, system_fingerprint } = this.#first;
    const [usage, timings] = [this.#usage, this.#timings];
    return { choices, created, model, system_fingerprint, object: this.#object, usage, id, timings };
  }

  #addPiece(piece: Piece): void {
    const { index = 0, logprobs, finish_reason } = piece;
    this.#choices[index] ??= this.createChoice(index);
    const choice = this.#choices[index];
    this.extend(choice, piece);
    if (logprobs) {
      choice.logprobs ??= {};
      addLogprobs(choice.logprobs, logprobs);
    }
    if (finish_reason) {
      choice.finish_reason = finish_reason;
      this.#finished = index;
    }
  }
}

function addLogprobs(all: Record<string, unknown[]>, piece: Logprobs): void {
  for (const [name, list] of Object.entries(piece)) {
    if (!Array.isArray(list)) continue;
    const before = all[name];
    if (before === undefined) all[name] = [...list];
    else before.push(...list);
  }
}

interface ChatChoice extends Choice {
  readonly message: Record<string, unknown>;
}

interface ChatPiece extends ChoicePiece {
  readonly delta?: Readonly<Record<string, unknown>>;
}

/** For /v1/chat/completions. */
export class ChatAggregator extends ChunkAggregator<ChatChoice, ChatPiece> {
  readonly #getPrefix: () => string;

  /** `getPrefix` is called when a choice begins. */
  constructor(getPrefix: () => string) {
    super('chat.completion');
    this.#getPrefix = getPrefix;
  }

  protected createChoice(index: number): ChatChoice {
    return { finish_reason: null, index, message: { role: 'assistant', content: this.#getPrefix() } };
  }

  protected extend({ message }: ChatChoice, { delta }: ChatPiece): void {
    if (delta) addDelta(message, delta);
  }
}

/** Texts are appended, tool calls are extended by their index, any other value replaces the one before. */
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

interface ToolCall {
  type: string;
  readonly function: { name: string; arguments: string };
  id?: string;
}

interface ToolCallPiece {
  readonly index: number;
  readonly id?: string;
  readonly type?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/** A name is complete in its piece, and may be repeated; arguments come in parts. */
function addToolCalls(calls: ToolCall[], pieces: readonly ToolCallPiece[]): void {
  for (const { index, id, type, function: called } of pieces) {
    calls[index] ??= { type: 'function', function: { name: '', arguments: '' } };
    const call = calls[index];
    if (type !== undefined) call.type = type;
    if (id !== undefined) call.id = id;
    if (called?.name !== undefined) call.function.name = called.name;
    call.function.arguments += called?.arguments ?? '';
  }
}

interface TextChoice extends Choice {
  text: string;
}

interface TextPiece extends ChoicePiece {
  readonly text?: string;
}

/** For /v1/completions: a choice for each prompt. */
export class CompletionAggregator extends ChunkAggregator<TextChoice, TextPiece> {
  constructor() {
    super('text_completion');
  }

  protected createChoice(index: number): TextChoice {
    return { text: '', index, logprobs: null, finish_reason: null };
  }

  protected extend(choice: TextChoice, { text }: TextPiece): void {
    choice.text += text ?? '';
  }
}
