import type { ResponseRewriter } from '../response-format.ts';

/** Corrects where llama-server's messages differ from Anthropic's: the id, and the stop reason after a stop sequence. */
export class MessageRewriter implements ResponseRewriter {
  #hasId = false;

  /** Searches without parsing: only the first event and the last but one need a change. */
  rewriteEvents(events: Buffer): Buffer {
    if (this.#hasId && isTextDelta(events)) return events;
    const hasStart = !this.#hasId && events.includes(messageStart);
    if (!hasStart && !events.includes(stopSequence)) return events;
    this.#hasId ||= hasStart;
    const text = events.toString();
    return Buffer.from(correctStopReason(hasStart ? text.replace(idInStart, '$1msg_') : text));
  }

  rewriteBody(body: Buffer): Buffer {
    return Buffer.from(correctStopReason(body.toString().replace(idInBody, '$1msg_')));
  }
}

/** Nearly all pieces of a stream: one more word of a block, with nothing behind it. */
function isTextDelta(events: Buffer): boolean {
  const { length } = events;
  if (events[BLOCK] !== letter.c || events[DELTA] !== letter.d) return false;
  return events[length - 5] === letter.quote && events[length - 4] === letter.brace;
}

const letter = { c: 0x63, d: 0x64, quote: 0x22, brace: 0x7d } as const;
const BLOCK = 'event: '.length;
const DELTA = 'event: content_block_'.length;

// Generated text is inside strings, where quotes are escaped, so it cannot match any of these.
const messageStart = 'event: message_start\n';
const idInStart = /^(event: message_start\ndata: \{"type":"message_start","message":\{"id":")chatcmpl-/m;
const idInBody = /^(\{"id":")chatcmpl-/;
const stopSequence = '"stop_sequence":"';
const endOfTurn = '"stop_reason":"end_turn","stop_sequence":"';

/**
 * llama-server names the stop sequence, but gives `end_turn` as the reason. Only the last place counts: a tool's input may
 * contain the same text.
 */
function correctStopReason(text: string): string {
  const at = text.lastIndexOf('"stop_reason":');
  if (!text.startsWith(endOfTurn, at)) return text;
  return `${text.slice(0, at)}"stop_reason":"stop_sequence",${text.slice(at + '"stop_reason":"end_turn",'.length)}`;
}
