import { mapEventData, type StreamEvent } from '../../sse/sse.ts';
import type { Prefill } from '../api/prefill.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { UnexpectedResponse } from '../upstream/failure.ts';
import type { ResumeRewriter } from './resume-point.ts';

/**
 * Removes a text from the beginning of another that arrives in pieces, to the character, wherever it is cut. Between two of
 * its parts there may be line breaks.
 */
export class PrefixStripper {
  readonly #parts: readonly string[];
  #part = 0;
  #at = 0;
  /** What was removed so far, in case it turns out to be another text. */
  #removed = '';
  #state: 'matching' | 'done' | 'mismatch' = 'matching';

  constructor(parts: readonly string[]) {
    this.#parts = parts.filter((part) => part !== '');
    if (this.#parts.length === 0) this.#state = 'done';
  }

  /** Nothing more is to be removed. */
  get isDone(): boolean {
    return this.#state !== 'matching';
  }

  /** It was another text: everything has been returned. */
  get hasMismatch(): boolean {
    return this.#state === 'mismatch';
  }

  /** What remains of the next piece. */
  strip(piece: string): string {
    if (this.isDone) return piece;
    for (let i = 0; i < piece.length; i++) {
      if (!this.#matches(piece[i])) {
        this.#state = 'mismatch';
        return this.#removed + piece;
      }
      if (this.isDone) return piece.slice(i + 1);
    }
    this.#removed += piece;
    return '';
  }

  #matches(character: string | undefined): boolean {
    const part = this.#parts[this.#part] ?? '';
    if (character !== part[this.#at]) return character === '\n' && this.#at === 0 && this.#part > 0;
    this.#at += 1;
    if (this.#at === part.length) {
      this.#at = 0;
      this.#part += 1;
    }
    if (this.#part === this.#parts.length) this.#state = 'done';
    return true;
  }
}

type Kind = 'content' | 'reasoning';

type ChoiceStrippers = Readonly<Record<Kind, PrefixStripper>>;

interface Choice {
  readonly index?: number;
  readonly delta?: Readonly<Record<string, unknown>>;
  readonly finish_reason?: unknown;
}

/**
 * Removes the prefill from the stream of an engine that repeats it. A text that differs from the prefill passes as it came,
 * unless it `mustMatch`: a client that has read the prefill would receive it twice.
 */
export class PrefillStripper implements ResumeRewriter {
  readonly #shape: CompletionShape;
  readonly #prefill: Prefill;
  readonly #mustMatch: boolean;
  readonly #choices = new Map<number, ChoiceStrippers>();

  constructor(shape: CompletionShape, prefill: Prefill, mustMatch: boolean) {
    this.#shape = shape;
    this.#prefill = prefill;
    this.#mustMatch = mustMatch;
  }

  rewriteEvents(events: Buffer): Buffer {
    return mapEventData(events, (event) => this.#rewrite(event));
  }

  #rewrite(event: StreamEvent): StreamEvent | undefined {
    if (this.#shape === 'chat') return this.#rewriteChat(event);
    const { type, delta } = event as { type?: string; delta?: Record<string, unknown> | string };
    if (type === 'response.output_text.delta' || type === 'response.reasoning_text.delta') {
      const rest = this.#strip(0, type.includes('reasoning') ? 'reasoning' : 'content', delta);
      return rest === '' ? undefined : { ...event, delta: rest };
    }
    if (typeof delta !== 'object') return event;
    const name = delta.type === 'text_delta' ? 'text' : delta.type === 'thinking_delta' ? 'thinking' : '';
    if (name === '') return event;
    const rest = this.#strip(0, name === 'text' ? 'content' : 'reasoning', delta[name]);
    return rest === '' ? undefined : { ...event, delta: { ...delta, [name]: rest } };
  }

  #rewriteChat(event: StreamEvent): StreamEvent | undefined {
    const choices = event.choices as readonly Choice[] | undefined;
    if (!choices?.some(({ delta }) => delta?.content || delta?.reasoning_content)) return event;
    const rewritten = choices.map((choice) => this.#rewriteChoice(choice));
    const isEmpty = rewritten.every(
      ({ delta, finish_reason }) => !finish_reason && Object.keys(delta ?? {}).length === 0,
    );
    return isEmpty ? undefined : { ...event, choices: rewritten };
  }

  #rewriteChoice(choice: Choice): Choice {
    const { index = 0, delta = {} } = choice;
    const { content, reasoning_content, ...others } = delta;
    const stripped = {
      content: this.#strip(index, 'content', content),
      reasoning_content: this.#strip(index, 'reasoning', reasoning_content),
    };
    const rest = Object.entries(stripped).filter(([, text]) => text !== '' && text !== undefined);
    return { ...choice, delta: { ...others, ...Object.fromEntries(rest) } };
  }

  #strip(index: number, kind: Kind, text: unknown): unknown {
    if (typeof text !== 'string') return text;
    const stripper = this.#getStrippers(index)[kind];
    const wasDone = stripper.isDone;
    const rest = stripper.strip(text);
    if (this.#mustMatch && !wasDone && stripper.hasMismatch)
      throw new UnexpectedResponse('the engine continued from another text than it was given');
    return rest;
  }

  #getStrippers(index: number): ChoiceStrippers {
    const { texts, reasoning } = this.#prefill;
    const known = this.#choices.get(index) ?? {
      content: new PrefixStripper(texts),
      reasoning: new PrefixStripper([reasoning]),
    };
    this.#choices.set(index, known);
    return known;
  }
}
