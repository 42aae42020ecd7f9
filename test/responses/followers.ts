import { setTimeout as sleep } from 'node:timers/promises';
import { parseEvents, splitEvents } from '../../sse/sse.ts';
import { appSecret, type BatchProduct } from '../batches/product.ts';

/** What a client has seen that follows a response from its creation, and comes back whenever its stream breaks. */
export interface Followed {
  readonly id: string;
  /** The text in the deltas, since the response was begun for the last time. */
  text: string;
  /** The number of the last event. */
  last: number;
  /** Events whose number is not the one after the last. */
  gaps: number;
  /** How often a stream broke. */
  breaks: number;
  /** How often the response was begun anew, as the follower was told. */
  restarts: number;
  /** The type of the last event. */
  end: string | undefined;
}

const lastEvents = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
]);

/** Follows a response to its end, whatever happens to the gateway. */
export async function follow(batches: BatchProduct, id: string): Promise<Followed> {
  const seen: Followed = { id, text: '', last: -1, gaps: 0, breaks: 0, restarts: 0, end: undefined };
  for (;;) {
    const query = seen.last === -1 ? '' : `&starting_after=${seen.last}`;
    try {
      const response = await fetch(`${batches.product.origin}/v1/responses/${id}?stream=true${query}`, {
        headers: { authorization: `Bearer ${appSecret}` },
      });
      if (response.status === 400 && (await response.text()).includes('events_lost')) beginAnew(seen);
      else if (response.ok) await receive(response, seen).finally(() => countBreak(seen));
    } catch {
      // The gateway is dead.
    }
    if (seen.end !== undefined) return seen;
    await sleep(100);
  }
}

/** The numbers go on, the text does not. */
function beginAnew(seen: Followed): void {
  Object.assign(seen, { text: '', last: -1, restarts: seen.restarts + 1 });
}

function countBreak(seen: Followed): void {
  if (seen.end === undefined) seen.breaks += 1;
}

async function receive(response: Response, seen: Followed): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    const blocks = splitEvents(rest + decoder.decode(chunk, { stream: true }));
    rest = blocks.pop() ?? '';
    for (const block of blocks) for (const event of parseEvents(block)) see(event, seen);
  }
}

function see(event: Readonly<Record<string, unknown>>, seen: Followed): void {
  const { type, sequence_number: number, delta } = event;
  // An error without a number closes the stream; the follower asks again.
  if (typeof number !== 'number') return;
  if (seen.last !== -1 && number !== seen.last + 1) seen.gaps += 1;
  seen.last = number;
  if (type === 'response.output_text.delta') seen.text += delta;
  if (lastEvents.has(String(type))) seen.end = String(type);
}
