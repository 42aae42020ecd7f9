import { setTimeout as sleep } from 'node:timers/promises';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import { EventBuffer } from './event-buffer.ts';
import { nextPostDelay, type StreamPace } from './next-post.ts';

export interface RelayResult {
  /** What was posted, in order. */
  readonly pieces: readonly string[];
  /** What the stream said of its own failure. */
  readonly error: unknown;
  /** The stream broke off before its end. */
  readonly isBroken: boolean;
}

/**
 * Posts a stream in pieces, one after the other, for RunPod keeps the order in which they come. While one is on its way
 * the next ones gather.
 */
export async function relayStream(
  body: AsyncIterable<Uint8Array>,
  post: (piece: string) => Promise<void>,
  pace: StreamPace,
): Promise<RelayResult> {
  const events = new EventBuffer();
  const source = { hasEnded: false, isBroken: false };
  let news = Promise.withResolvers<void>();
  read().catch(recordUnhandledError);

  async function read(): Promise<void> {
    try {
      for await (const bytes of body) {
        events.add(bytes);
        news.resolve();
      }
    } catch {
      source.isBroken = true;
    }
    source.hasEnded = true;
    news.resolve();
  }

  async function anythingNew(withinMs?: number): Promise<void> {
    const enough = new AbortController();
    const pause = withinMs === undefined ? [] : [sleep(withinMs, undefined, enough).catch(() => {})];
    await Promise.race([news.promise, ...pause]);
    enough.abort();
    news = Promise.withResolvers<void>();
  }

  const pieces: string[] = [];
  let lastAt = -Infinity;
  while (events.waiting > 0 || !source.hasEnded) {
    const sinceLastMs = performance.now() - lastAt;
    const waitMs = nextPostDelay({ waiting: events.waiting, sinceLastMs, ...source }, pace);
    if (events.waiting === 0) await anythingNew();
    else if (waitMs > 0) await anythingNew(waitMs);
    else {
      const piece = events.take(pace.mostChars);
      lastAt = performance.now();
      pieces.push(piece);
      await post(piece);
    }
  }
  return { pieces, error: events.error, isBroken: source.isBroken };
}
