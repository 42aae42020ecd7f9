import { setTimeout as sleep } from 'node:timers/promises';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import { EVENT_END, EventSplitter, getEventData, splitEvents } from '../sse/sse.ts';

export interface RelayResult {
  /** What was posted, in order. */
  readonly pieces: readonly string[];
  /** The error that the stream itself reported. */
  readonly error: unknown;
  /** The stream ended early. */
  readonly isBroken: boolean;
}

/**
 * Posts a stream in pieces, one after the other, because RunPod keeps the order of arrival. While one piece is being
 * posted, the next events are collected.
 */
export async function relayStream(
  body: AsyncIterable<Uint8Array>,
  post: (piece: string) => Promise<void>,
  pace: StreamPace,
): Promise<RelayResult> {
  const events = new EventBuffer();
  const source = { hasEnded: false, isBroken: false };
  let change = Promise.withResolvers<void>();
  read().catch(recordUnhandledError);

  async function read(): Promise<void> {
    try {
      for await (const bytes of body) {
        events.add(bytes);
        change.resolve();
      }
    } catch {
      source.isBroken = true;
    }
    source.hasEnded = true;
    change.resolve();
  }

  async function nextChange(withinMs?: number): Promise<void> {
    const done = new AbortController();
    const timeout = withinMs === undefined ? [] : [sleep(withinMs, undefined, done).catch(() => {})];
    await Promise.race([change.promise, ...timeout]);
    done.abort();
    change = Promise.withResolvers<void>();
  }

  const pieces: string[] = [];
  let lastAt = -Infinity;
  while (events.pendingChars > 0 || !source.hasEnded) {
    const sinceLastMs = performance.now() - lastAt;
    const delayMs = nextPostDelay({ pendingChars: events.pendingChars, sinceLastMs, ...source }, pace);
    if (events.pendingChars === 0) await nextChange();
    else if (delayMs > 0) await nextChange(delayMs);
    else {
      const piece = events.take(pace.maxChars);
      lastAt = performance.now();
      pieces.push(piece);
      await post(piece);
    }
  }
  return { pieces, error: events.error, isBroken: source.isBroken };
}

/** The state of a stream on its way to the queue. */
export interface StreamProgress {
  readonly pendingChars: number;
  /** Since the last piece was posted, ms; infinite before the first. */
  readonly sinceLastMs: number;
  readonly hasEnded: boolean;
}

export interface StreamPace {
  readonly intervalMs: number;
  /** A piece of this size is posted at once, and none is larger unless a single event is. */
  readonly maxChars: number;
}

/** How long to collect events before the next piece is posted, ms: each piece costs a round trip. */
export function nextPostDelay(
  { pendingChars, sinceLastMs, hasEnded }: StreamProgress,
  pace: StreamPace,
): number {
  if (hasEnded || pendingChars >= pace.maxChars) return 0;
  return Math.max(0, pace.intervalMs - sinceLastMs);
}

/**
 * Collects the bytes of a stream and returns complete events. Keep-alives (comments, and the pings of Anthropic's API) are
 * left out: readers of the queue do not need them.
 */
export class EventBuffer {
  readonly #splitter = new EventSplitter();
  readonly #events: string[] = [];
  #pendingChars = 0;
  #error: unknown;

  /** Characters that can be taken. */
  get pendingChars(): number {
    return this.#pendingChars;
  }

  /** The error that the stream itself reported. */
  get error(): unknown {
    return this.#error;
  }

  add(bytes: Uint8Array): void {
    const events = this.#splitter.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    if (events) for (const event of splitEvents(events.toString())) this.#add(event + EVENT_END);
  }

  /** As many events as fit into this many characters, but at least one. */
  take(maxChars: number): string {
    let piece = this.#events.shift() ?? '';
    for (let [next] = this.#events; next !== undefined; [next] = this.#events) {
      if (piece.length + next.length > maxChars) break;
      piece += next;
      this.#events.shift();
    }
    this.#pendingChars -= piece.length;
    return piece;
  }

  #add(event: string): void {
    if (!/^(?!:)./m.test(event) || /^event: ping$/m.test(event)) return;
    this.#events.push(event);
    this.#pendingChars += event.length;
    this.#error ??= parseError(event);
  }
}

/** OpenAI's streams have it in a field of that name, Anthropic's and those of Responses in an event of that name. */
function parseError(event: string): unknown {
  if (!/^data: \{"error"|^event: error$|"type":"error"/m.test(event)) return undefined;
  const data = getEventData(event) ?? '';
  try {
    const parsed = JSON.parse(data) as { readonly error?: unknown; readonly type?: unknown } | null;
    return parsed?.error ?? (parsed?.type === 'error' ? parsed : undefined);
  } catch {
    return undefined;
  }
}
