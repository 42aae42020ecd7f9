import { mapEventData, type StreamEvent } from '../../sse/sse.ts';
import type { Prefill } from '../api/prefill.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { UnexpectedResponse } from '../upstream/failure.ts';
import { PrefixStripper } from './prefix-stripper.ts';
import type { ResumeRewriter } from './resume-rewriter.ts';

/** Which text of an event is looked at: what is said, or what is thought. */
type Kind = 'texts' | 'reasoning';

/** The texts of one choice. */
type Repeated = Readonly<Record<Kind, PrefixStripper>>;

interface Choice {
  readonly index?: number;
  readonly delta?: Readonly<Record<string, unknown>>;
  readonly finish_reason?: unknown;
}

/**
 * Takes out of a stream the beginning of the answer, with which an engine repeats it. What differs from that beginning
 * passes as it came, unless it `mustMatch`: to a client that has read the beginning it would be told twice.
 */
export class PrefillStripper implements ResumeRewriter {
  readonly #shape: CompletionShape;
  readonly #prefill: Prefill;
  readonly #mustMatch: boolean;
  readonly #choices = new Map<number, Repeated>();

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
      const rest = this.#rest(0, type.includes('reasoning') ? 'reasoning' : 'texts', delta);
      return rest === '' ? undefined : { ...event, delta: rest };
    }
    if (typeof delta !== 'object') return event;
    const name = delta.type === 'text_delta' ? 'text' : delta.type === 'thinking_delta' ? 'thinking' : '';
    if (name === '') return event;
    const rest = this.#rest(0, name === 'text' ? 'texts' : 'reasoning', delta[name]);
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
    const told = {
      content: this.#rest(index, 'texts', content),
      reasoning_content: this.#rest(index, 'reasoning', reasoning_content),
    };
    const rest = Object.entries(told).filter(([, text]) => text !== '' && text !== undefined);
    return { ...choice, delta: { ...others, ...Object.fromEntries(rest) } };
  }

  #rest(index: number, kind: Kind, text: unknown): unknown {
    if (typeof text !== 'string') return text;
    const repeated = this.#repeated(index)[kind];
    const wasOver = repeated.isDone;
    const rest = repeated.strip(text);
    if (this.#mustMatch && !wasOver && repeated.hasMismatch)
      throw new UnexpectedResponse('the engine went on from another beginning than it was given');
    return rest;
  }

  #repeated(index: number): Repeated {
    const { texts, reasoning } = this.#prefill;
    const known = this.#choices.get(index) ?? {
      texts: new PrefixStripper(texts),
      reasoning: new PrefixStripper([reasoning]),
    };
    this.#choices.set(index, known);
    return known;
  }
}
