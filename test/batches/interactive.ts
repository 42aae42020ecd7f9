import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, hasEnded } from '../../store/batch.ts';
import {
  allResults,
  type BatchRequest,
  type BatchResult,
  createBatchOfLines,
  currentBatch,
} from '../harness/batches.ts';
import { measureStream } from '../harness/measured-stream.ts';
import { atLeast, atMost, exactly, type Report } from '../several-models/report.ts';
import { isExact, longLines, SLOTS, untilAllBusy, watchSlots } from './busy-slots.ts';
import { appSecret, type BatchProduct, startBatchProduct } from './product.ts';
import type { Scenario, ScenarioOptions } from './scenario.ts';

const REQUESTS = 40;
const REQUEST_TOKENS = 24;
/** How long the slots are watched while there is nothing but the batch. */
const WATCH_MS = 30_000;

/** Proofs 2 and 3. */
export const interactive: Scenario = {
  claim:
    'a client beside a batch on all slots waits hardly longer than alone, and no token is generated twice',
  async run({ lines: count = 400, onProgress }) {
    const lines = longLines(count);
    const withClient = await runWithClient(lines, onProgress);
    onProgress('the same batch alone');
    const alone = await runAlone(lines);
    return report(count, withClient, alone);
  },
};

interface Run {
  readonly ended: Batch;
  readonly results: readonly BatchResult[];
  /** Tokens that the engine has generated for the batch, one for each time that a slot was in a batch of llama_decode. */
  readonly generated: number;
  readonly preemptions: number;
  readonly discarded: number;
}

interface RunWithClient extends Run {
  readonly firstTokens: { readonly alone: readonly number[]; readonly beside: readonly number[] };
  readonly refusals: readonly string[];
  /** Seconds until the batch had all slots again. */
  readonly returns: readonly number[];
  /** Of all slots while there was nothing but the batch. */
  readonly busy: number;
}

async function runWithClient(
  lines: readonly BatchRequest[],
  onProgress: ScenarioOptions['onProgress'],
): Promise<RunWithClient> {
  await using product = await startBatchProduct({ BATCH_SLOTS: String(SLOTS) });
  const refusals: string[] = [];
  const alone = await sendRequests(product, refusals);
  const before = await readCounters(product);
  const batch = await createBatchOfLines(product.store, lines);
  await untilAllBusy(product);
  onProgress('requests beside the batch');
  const returns: number[] = [];
  const beside = await sendRequests(product, refusals, async () => {
    returns.push(await untilAllBusy(product));
    await sleep(Math.random() * 500);
  });
  onProgress(`watching the slots; ${currentBatch(product.store, batch).counts.completed} lines completed`);
  const { busy } = await watchSlots(product, batch, WATCH_MS);
  const run = await finish(product, batch, before);
  const ofClient = REQUESTS * REQUEST_TOKENS;
  return {
    ...run,
    generated: run.generated - ofClient,
    ...{ firstTokens: { alone, beside }, refusals, returns, busy },
  };
}

async function runAlone(lines: readonly BatchRequest[]): Promise<Run> {
  await using product = await startBatchProduct({ BATCH_SLOTS: String(SLOTS) });
  const before = await readCounters(product);
  return await finish(product, await createBatchOfLines(product.store, lines), before);
}

/** Returns the times to the first token, in seconds. */
async function sendRequests(
  { product: { origin } }: BatchProduct,
  refusals: string[],
  afterEach = async () => {},
): Promise<number[]> {
  const body = { model: 'demo', temperature: 0, max_tokens: REQUEST_TOKENS };
  const times: number[] = [];
  for (let n = 0; n < REQUESTS; n++) {
    const messages = [{ role: 'user', content: `client ${n}: tell me about keys` }];
    try {
      const measured = await measureStream(Number(new URL(origin).port), appSecret, { ...body, messages });
      times.push(measured.firstToken);
    } catch (error) {
      refusals.push(String(error));
    }
    await afterEach();
  }
  return times;
}

interface Counters {
  readonly slotSteps: number;
  readonly preemptions: number;
  readonly discarded: number;
}

/** The gateway reads the metrics of the engine once per second. */
async function readCounters({ product: { origin } }: BatchProduct): Promise<Counters> {
  await sleep(1100);
  const text = await (await fetch(`${origin}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    slotSteps: value('llamacpp:n_decode_total') * value('llamacpp:n_busy_slots_per_decode'),
    preemptions: value('corral_batch_preemptions_total'),
    discarded: value('corral_batch_discarded_tokens_total'),
  };
}

async function finish(product: BatchProduct, batch: Batch, before: Counters): Promise<Run> {
  while (!hasEnded(currentBatch(product.store, batch).status)) await sleep(50);
  const ended = currentBatch(product.store, batch);
  const after = await readCounters(product);
  return {
    ended,
    results: await allResults(product.store, ended),
    generated: after.slotSteps - before.slotSteps,
    preemptions: after.preemptions,
    discarded: after.discarded,
  };
}

function report(lines: number, run: RunWithClient, alone: Run): Report {
  const { firstTokens, refusals, returns, busy } = run;
  const [p95Alone, p95Beside] = [p95(firstTokens.alone), p95(firstTokens.beside)];
  const wrong = [...run.results, ...alone.results].filter((result) => !isExact(result));
  return {
    figures: [
      { name: 'lines', value: lines },
      { name: 'completed lines', value: run.ended.counts.completed, goal: exactly(lines) },
      { name: 'results that are not exact', value: wrong.length, goal: exactly(0) },
      { name: 'preemptions', value: run.preemptions, goal: atLeast(REQUESTS / 2) },
      { name: 'refused requests of the client', value: refusals.length, goal: exactly(0) },
      { name: 'first token alone, p95', value: p95Alone, unit: 's' },
      {
        name: 'first token beside the batch, p95',
        value: p95Beside,
        unit: 's',
        goal: atMost(p95Alone + 0.3),
      },
      {
        name: 'until all slots are busy again, longest',
        value: Math.max(...returns),
        unit: 's',
        goal: atMost(1),
      },
      { name: 'busy slots without a client', value: 100 * busy, unit: '%', goal: atLeast(95) },
      { name: 'tokens thrown away', value: run.discarded },
      {
        name: 'tokens in the batch',
        value: run.ended.usage.outputTokens,
        goal: exactly(alone.ended.usage.outputTokens),
      },
      { name: 'tokens generated', value: run.generated },
      { name: 'tokens generated without the client', value: alone.generated },
      { name: 'of these', value: run.generated / alone.generated, goal: atMost(1.02) },
    ],
    problems: [...refusals, ...wrong.map((result) => JSON.stringify(result).slice(0, 300))],
  };
}

function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
}
