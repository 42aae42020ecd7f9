import type { ResponseRewriter } from '../response-rewriter.ts';

/** Puts right what llama-server's messages tell otherwise than Anthropic's: the name, and what a stop sequence has ended. */
export class MessageRewriter implements ResponseRewriter {
  #isNamed = false;

  /** Searched, not parsed: nothing but the first event and the last but one has any of this. */
  rewriteEvents(events: Buffer): Buffer {
    if (this.#isNamed && isText(events)) return events;
    const toName = !this.#isNamed && events.includes(opening);
    if (!toName && !events.includes(sequenceToTell)) return events;
    this.#isNamed ||= toName;
    const text = events.toString();
    return Buffer.from(withReason(toName ? text.replace(nameInOpening, '$1msg_') : text));
  }

  rewriteBody(body: Buffer): Buffer {
    return Buffer.from(withReason(body.toString().replace(nameInWhole, '$1msg_')));
  }
}

/** As nearly all pieces of a stream are: one more word of a block, with nothing behind it. */
function isText(events: Buffer): boolean {
  const { length } = events;
  if (events[BLOCK] !== letter.c || events[DELTA] !== letter.d) return false;
  return events[length - 5] === letter.quote && events[length - 4] === letter.brace;
}

const letter = { c: 0x63, d: 0x64, quote: 0x22, brace: 0x7d } as const;
const BLOCK = 'event: '.length;
const DELTA = 'event: content_block_'.length;

// What an answer says stands in texts, whose quotes are escaped, so that it cannot be taken for these.
const opening = 'event: message_start\n';
const nameInOpening = /^(event: message_start\ndata: \{"type":"message_start","message":\{"id":")chatcmpl-/m;
const nameInWhole = /^(\{"id":")chatcmpl-/;
const sequenceToTell = '"stop_sequence":"';
const endedTurn = '"stop_reason":"end_turn","stop_sequence":"';

/** llama-server names the sequence, and says that the turn has ended. The last place: a tool's input may hold the like. */
function withReason(text: string): string {
  const at = text.lastIndexOf('"stop_reason":');
  if (!text.startsWith(endedTurn, at)) return text;
  return `${text.slice(0, at)}"stop_reason":"stop_sequence",${text.slice(at + '"stop_reason":"end_turn",'.length)}`;
}
