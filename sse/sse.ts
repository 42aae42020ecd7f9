/**
 * Server-sent events as the APIs of language models use them: an optional `event:` line, one `data:` line, an empty
 * line. Everything that frames, splits or parses them does so here.
 */
export type StreamEvent = Readonly<Record<string, unknown>>;

/** What follows each event. */
export const EVENT_END = '\n\n';
const DATA = 'data: ';

/** One event. `data` is written as JSON; text is written unchanged. */
export function formatEvent(data: object | string, name?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return name === undefined ? `${DATA}${text}${EVENT_END}` : `event: ${name}\n${DATA}${text}${EVENT_END}`;
}

/** A comment, which clients ignore. */
export const formatComment = (text: string): string => `: ${text}${EVENT_END}`;

const LF = 0x0a;
const CR = 0x0d;
const endBytes = Buffer.from(EVENT_END);

/** Collects the bytes of a stream and returns complete events, so that no event and no character is cut. */
export class EventSplitter {
  /** The pieces of an event whose end has not arrived yet. */
  #pieces: Buffer[] = [];

  /** The bytes of an event whose end has not arrived yet. */
  get rest(): Buffer | undefined {
    return this.#pieces.length === 0 ? undefined : Buffer.concat(this.#pieces);
  }

  /** The events that this chunk completes, in one piece; undefined if it completes none. */
  push(chunk: Buffer): Buffer | undefined {
    if (chunk.length === 0) return undefined;
    const end = this.#findLastEnd(chunk);
    if (end === 0) {
      this.#pieces.push(chunk);
      return undefined;
    }
    const isWhole = end === chunk.length;
    if (isWhole && this.#pieces.length === 0) return chunk;
    this.#pieces.push(isWhole ? chunk : chunk.subarray(0, end));
    const events = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    this.#pieces = isWhole ? [] : [chunk.subarray(end)];
    return events;
  }

  /** Forgets the rest. */
  clear(): void {
    this.#pieces = [];
  }

  /** Where in the chunk its last complete event ends; 0 if none does. Nearly always it is the end of the chunk. */
  #findLastEnd(chunk: Buffer): number {
    const last = chunk.length - 1;
    if (chunk[last] === LF && (last > 0 ? chunk[last - 1] : this.#lastByte) === LF) return chunk.length;
    const at = chunk.lastIndexOf(endBytes);
    if (at !== -1) return at + endBytes.length;
    return chunk[0] === LF && this.#lastByte === LF ? 1 : 0;
  }

  get #lastByte(): number | undefined {
    return this.#pieces.at(-1)?.at(-1);
  }
}

/** The events of a text, without the empty lines behind them; after the last event follows an empty text. */
export const splitEvents = (events: string): string[] => events.split(EVENT_END);

/** Where the event ends that holds the byte at `at`; -1 if its end is not there. */
export function findEventEnd(events: Buffer, at: number): number {
  // A search for one byte is several times faster than one for two.
  let end = events.indexOf(LF, at);
  while (end !== -1 && events[end + 1] !== LF) end = events.indexOf(LF, end + 1);
  return end === -1 ? -1 : end + EVENT_END.length;
}

/** The same events, each replaced by what `map` returns for it: one event, several, or none. */
export function mapEvents(
  events: Buffer,
  map: (event: string) => string | readonly string[] | undefined,
): Buffer {
  const mapped = splitEvents(events.toString()).flatMap((event) => map(event) ?? []);
  return Buffer.from(mapped.join(EVENT_END));
}

/** As `mapEvents`, for the data of events that hold a JSON object; the others are unchanged. */
export function mapEventData(events: Buffer, map: (data: StreamEvent) => StreamEvent | undefined): Buffer {
  return mapEvents(events, (event) => {
    const [, head = '', json] = /^((?:event: .*\n)?data: )(\{.*\})$/s.exec(event) ?? [];
    if (json === undefined) return event;
    const data = map(JSON.parse(json) as StreamEvent);
    return data && head + JSON.stringify(data);
  });
}

/** The data of the events in a text that hold a JSON object. */
export function parseEvents(text: string): StreamEvent[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${DATA}{`) && line.endsWith('}'))
    .map((line) => JSON.parse(line.slice(DATA.length)) as StreamEvent);
}

/** The data of one event, whatever it is; undefined if it has none, like a comment. */
export function getEventData(event: string): string | undefined {
  if (event.startsWith(DATA)) return event.slice(DATA.length).trimEnd();
  const before = event.startsWith(':') ? -1 : event.indexOf(`\n${DATA}`);
  return before === -1 ? undefined : event.slice(before + 1 + DATA.length).trimEnd();
}

const DATA_FIELD = 'data:';

/** Reads the data lines of any server's stream, whose line ends and spaces vary, each as soon as its line is complete. */
export class DataLineReader {
  #rest: Buffer | undefined;

  /** The data lines that this chunk completes. */
  read(chunk: Buffer): string[] {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    const found: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
      const data = readDataLine(bytes, from, bytes[end - 1] === CR ? end - 1 : end);
      if (data !== undefined) found.push(data);
      from = end + 1;
    }
    this.#rest = from < bytes.length ? bytes.subarray(from) : undefined;
    return found;
  }
}

function readDataLine(bytes: Buffer, from: number, end: number): string | undefined {
  const isData =
    end - from > DATA_FIELD.length && bytes.toString('latin1', from, from + DATA_FIELD.length) === DATA_FIELD;
  return isData ? bytes.toString('utf8', from + DATA_FIELD.length, end).trimStart() : undefined;
}
