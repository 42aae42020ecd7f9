import { setTimeout as sleep } from 'node:timers/promises';
import { type ShownProduct, shownKeys } from './start-shown-product.ts';

/** What each key asks for, and how many of its clients there are at the most. */
const crowds = [
  { key: 'web-app', topic: 'streams', clients: 5 },
  { key: 'research', topic: 'long story', clients: 2 },
  { key: 'night-batch', topic: 'survival', clients: 4 },
] as const;

type Crowd = (typeof crowds)[number];

/** People who come and go, in waves, until the signal. Settles when all have left. */
export async function makeLoad({ origin }: ShownProduct, signal: AbortSignal): Promise<void> {
  const clients = crowds.flatMap((crowd) =>
    Array.from({ length: crowd.clients }, (_, place) => visit(origin, crowd, place, signal)),
  );
  await Promise.all(clients);
}

async function visit(origin: string, crowd: Crowd, place: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const tide = (1 + Math.sin(performance.now() / 9000 + crowd.clients)) / 2;
    if (place < 1 + tide * crowd.clients) await ask(origin, crowd, signal).catch(() => {});
    await sleep(150 + Math.random() * 900 * (2 - tide), undefined, { signal }).catch(() => {});
  }
}

async function ask(origin: string, { key, topic }: Crowd, signal: AbortSignal): Promise<void> {
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'x-api-key': shownKeys[key].secret, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', stream: true, messages: [{ role: 'user', content: topic }] }),
    signal,
  });
  for await (const _ of answer.body ?? []);
}
