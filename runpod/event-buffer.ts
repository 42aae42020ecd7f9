import { EVENT_END, EventSplitter, getEventData, splitEvents } from '../sse/sse.ts';

/**
 * Gathers a stream's bytes and gives them away in whole events, so that no character and no event is ever cut. Signs of
 * life (comments, and the pings of Anthropic's API) are left out: whoever reads the queue has others.
 */
export class EventBuffer {
  readonly #splitter = new EventSplitter();
  readonly #events: string[] = [];
  #chars = 0;
  #error: unknown;

  /** Characters that may be taken. */
  get waiting(): number {
    return this.#chars;
  }

  /** What the stream said of its own failure. */
  get error(): unknown {
    return this.#error;
  }

  add(bytes: Uint8Array): void {
    const events = this.#splitter.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    if (events) for (const event of splitEvents(events.toString())) this.#keep(event + EVENT_END);
  }

  /** As many events as fit into so many characters, and one at least. */
  take(mostChars: number): string {
    let chunk = this.#events.shift() ?? '';
    for (let [next] = this.#events; next !== undefined; [next] = this.#events) {
      if (chunk.length + next.length > mostChars) break;
      chunk += next;
      this.#events.shift();
    }
    this.#chars -= chunk.length;
    return chunk;
  }

  #keep(event: string): void {
    if (!/^(?!:)./m.test(event) || /^event: ping$/m.test(event)) return;
    this.#events.push(event);
    this.#chars += event.length;
    this.#error ??= errorIn(event);
  }
}

/** OpenAI's streams carry it in a member of that name, Anthropic's and those of Responses in an event of that name. */
function errorIn(event: string): unknown {
  if (!/^data: \{"error"|^event: error$|"type":"error"/m.test(event)) return undefined;
  const data = getEventData(event) ?? '';
  try {
    const said = JSON.parse(data) as { readonly error?: unknown; readonly type?: unknown } | null;
    return said?.error ?? (said?.type === 'error' ? said : undefined);
  } catch {
    return undefined;
  }
}
