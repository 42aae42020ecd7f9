import { mapEventData, parseEvents, type StreamEvent } from '../../sse/sse.ts';
import type { ResumePoint, ResumeRewriter } from './resume-rewriter.ts';

/** Of Anthropic's messages. Their id and the input's tokens stand in the opening alone. */
export class MessageResumeRewriter implements ResumeRewriter {
  readonly #facts: ResumePoint;
  readonly #told: ReadonlySet<string>;

  constructor(facts: ResumePoint) {
    const told = parseEvents(facts.opening + facts.closing) as readonly Told[];
    this.#facts = facts;
    this.#told = new Set(told.filter(({ type }) => type !== blockDelta).map(placeOf));
  }

  rewriteEvents(events: Buffer): Buffer {
    return mapEventData(events, (event) => this.#rewrite(event));
  }

  #rewrite(event: StreamEvent): StreamEvent | undefined {
    const { finished, tokenShift } = this.#facts;
    const { type, delta, usage } = event as Told;
    if (this.#told.has(placeOf(event)) || (finished !== 'no' && type === blockDelta)) return undefined;
    if (type !== 'message_delta') return event;
    const output = (usage?.output_tokens ?? 0) + tokenShift.generatedBefore - tokenShift.discarded;
    return {
      ...event,
      ...(finished === 'at-limit'
        ? { delta: { ...delta, stop_reason: 'max_tokens', stop_sequence: null } }
        : {}),
      usage: { ...usage, output_tokens: output },
    };
  }
}

const blockDelta = 'content_block_delta';

/** Each block has a beginning and an end of its own: a call may follow the text. */
const placeOf = ({ type, index }: Told) => `${type} ${index}`;

interface Told {
  readonly index?: unknown;
  readonly type?: unknown;
  readonly delta?: object;
  readonly usage?: { readonly output_tokens?: number };
}
