const dataMark = Buffer.from('data: {');
const errorMark = Buffer.from('data: {"error":');
const unfinished = Buffer.from('"stop":false');
const finished = Buffer.from('"stop":true');
const lineEnd = 0x0a;

/**
 * Counts the events that end the answers of a native stream: one for each choice of each prompt. A final event is one that
 * does not say `"stop":false`: `response_fields` may leave `"stop":true` out of it, and of it alone.
 */
export class NativeStreamEnd {
  readonly #expected: number;
  #seen = 0;
  /** All of them said so themselves. */
  #areTold = true;

  constructor(expected: number) {
    this.#expected = expected;
  }

  /** Of whole events, in their order. */
  add(events: Buffer): void {
    const finals = starts(dataMark, events) - starts(errorMark, events) - count(unfinished, events);
    if (finals <= 0) return;
    this.#seen += finals;
    if (count(finished, events) < finals) this.#areTold = false;
  }

  /** Whether the stream is whole. What does not say so itself is believed where the backend closed it `inOrder`. */
  isComplete(inOrder: boolean): boolean {
    return this.#seen >= this.#expected && (this.#areTold || inOrder);
  }
}

/** At the start of a line: inside a JSON string a line end would be escaped, and so would the quotes of the others. */
function starts(mark: Buffer, events: Buffer): number {
  let found = 0;
  for (let at = events.indexOf(mark); at !== -1; at = events.indexOf(mark, at + mark.length)) {
    if (at === 0 || events[at - 1] === lineEnd) found += 1;
  }
  return found;
}

function count(mark: Buffer, events: Buffer): number {
  let found = 0;
  for (let at = events.indexOf(mark); at !== -1; at = events.indexOf(mark, at + mark.length)) found += 1;
  return found;
}
