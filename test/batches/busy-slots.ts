import { setTimeout as sleep } from 'node:timers/promises';
import { storyText } from '../../cli/demo-model/stories.ts';
import type { Batch } from '../../store/batch.ts';
import {
  type BatchRequest,
  type BatchResult,
  chatLine,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
} from '../harness/batches.ts';
import { atLeast } from '../several-models/report.ts';
import { type BatchProduct, startBatchProduct } from './product.ts';
import type { Scenario } from './scenario.ts';

/** All of them are for the batch. */
export const SLOTS = 4;
export const LINE_TOKENS = 400;

/** The second half of proof 2. The batch is not waited for once the time is over. */
export const busySlots: Scenario = {
  claim: 'a batch with nothing beside it keeps all slots busy: ten minutes by default (--seconds)',
  async run({ lines: count = 50_000, seconds = 600, onProgress }) {
    await using product = await startBatchProduct({ BATCH_SLOTS: String(SLOTS) });
    const batch = await createBatchOfLines(product.store, longLines(count));
    await untilAllBusy(product);
    onProgress('all slots are busy');
    const watched = await watchSlots(product, batch, seconds * 1000);
    const { counts } = currentBatch(product.store, batch);
    return {
      figures: [
        { name: 'watched for', value: watched.seconds, unit: 's', goal: atLeast(0.99 * seconds) },
        { name: 'completed lines', value: counts.completed },
        { name: 'busy slots', value: 100 * watched.busy, unit: '%', goal: atLeast(95) },
        { name: 'longest time with an idle slot', value: watched.longestIdle, unit: 's' },
      ],
    };
  },
};

export const longLines = (count: number): BatchRequest[] =>
  Array.from({ length: count }, (_, n) => {
    const messages = [{ role: 'user', content: `${n}: tell me a long story` }];
    return { custom_id: `line-${n}`, ...chatLine({ messages, max_tokens: LINE_TOKENS }) };
  });

/** Whether it is the result of one of `longLines`. */
export function isExact(result: BatchResult): boolean {
  const text = chatTextOf(result) ?? '';
  const { completion_tokens: tokens } = result.response?.body.usage ?? {};
  return tokens === LINE_TOKENS && text.length >= LINE_TOKENS && storyText('long story').startsWith(text);
}

/** Returns how long it took, in seconds. */
export async function untilAllBusy(product: BatchProduct): Promise<number> {
  const since = performance.now();
  while ((await readBusySlots(product)) < SLOTS) await sleep(5);
  return (performance.now() - since) / 1000;
}

async function readBusySlots({ product: { origin } }: BatchProduct): Promise<number> {
  const response = await fetch(`${origin}/health`);
  return ((await response.json()) as { slots: { busy: number } }).slots.busy;
}

export interface WatchedSlots {
  /** The mean part of the slots that is busy, 0 to 1. */
  readonly busy: number;
  readonly seconds: number;
  /** In seconds. */
  readonly longestIdle: number;
}

/** Watches the slots for `forMs`, or until the batch nears its end. */
export async function watchSlots(product: BatchProduct, batch: Batch, forMs: number): Promise<WatchedSlots> {
  const since = performance.now();
  let [samples, busy, longestIdle, allBusyAt] = [0, 0, 0, since];
  while (performance.now() - since < forMs) {
    const { counts } = currentBatch(product.store, batch);
    if (counts.total - counts.completed <= 2 * SLOTS) break;
    const slots = await readBusySlots(product);
    const now = performance.now();
    samples += 1;
    busy += slots / SLOTS;
    longestIdle = Math.max(longestIdle, now - allBusyAt);
    if (slots === SLOTS) allBusyAt = now;
    await sleep(20);
  }
  return {
    busy: busy / samples,
    seconds: (performance.now() - since) / 1000,
    longestIdle: longestIdle / 1000,
  };
}
