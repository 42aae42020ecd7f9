/**
 * `npm run overload` measures the capacity of the running product with a real llama-server, offers twenty times as much for
 * ten seconds, and draws docs/overload.svg.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { projectFolder } from '../../scripts/project-folders.ts';
import { startProduct } from '../harness/start-product.ts';
import { chart } from './chart.ts';

const BURST_FROM = 3;
const BURST_UNTIL = 13;
const END = 20;
const TIMES_CAPACITY = 20;
const SAMPLE_EVERY_MS = 100;
const apiKey = 'sk-overload-0123456789';

interface CompletionResult {
  /** An error code if there was no response. */
  readonly status: number | string;
  readonly ms: number;
  /** Whether a rejection has a usable `retry-after-ms`. */
  readonly hasRetryAfter: boolean;
}

interface Sample {
  readonly second: number;
  readonly waiting: number;
  readonly busy: number;
  /** Results since the last sample. */
  readonly results: readonly CompletionResult[];
}

await using product = await startProduct(() => ({
  PARALLEL: '4',
  API_KEYS: `overload:${apiKey}`,
  MAX_QUEUE_PER_KEY: '100',
  LOG_LEVEL: 'warn',
}));
const dispatcher = new Agent({ connections: null, keepAliveTimeout: 10_000 });
const capacity = await measureCapacity();
console.log(
  `capacity: ${capacity.toFixed(1)} requests/s; offering ${(TIMES_CAPACITY * capacity).toFixed(0)}/s`,
);

const results: CompletionResult[] = [];
const samples: Sample[] = [];
const pending = new Set<Promise<void>>();
const startedAt = performance.now();
const now = () => (performance.now() - startedAt) / 1000;
let offered = 0;
let sampled = 0;
for (let n = 1; n * SAMPLE_EVERY_MS <= END * 1000; n++) {
  await sleep(Math.max(0, startedAt + n * SAMPLE_EVERY_MS - performance.now()));
  sendDueRequests(now());
  const { queue, slots } = await health();
  samples.push({ second: now(), waiting: queue.waiting, busy: slots.busy, results: results.slice(sampled) });
  sampled = results.length;
}
await Promise.all(pending);
await dispatcher.close();
writeFileSync(join(projectFolder, 'docs/overload.svg'), draw());
printSummary();

/** Sends as many as are due, without waiting for responses. */
function sendDueRequests(second: number): void {
  const inBurst = Math.min(second, BURST_UNTIL) - Math.min(second, BURST_FROM);
  const due = capacity * 0.5 * second + TIMES_CAPACITY * capacity * inBurst;
  for (; offered < due; offered++) {
    const one = sendCompletion()
      .catch((error: NodeJS.ErrnoException) => ({
        status: error.code ?? error.message,
        ms: Number.NaN,
        hasRetryAfter: false,
      }))
      .then((result) => void results.push(result));
    pending.add(one);
    void one.finally(() => pending.delete(one));
  }
}

/** A completion of 64 tokens. */
async function sendCompletion(): Promise<CompletionResult> {
  const from = performance.now();
  const { statusCode, headers, body } = await request(`${product.origin}/v1/completions`, {
    method: 'POST',
    dispatcher,
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'hi', max_tokens: 64 }),
  });
  await body.dump();
  const retryAfter = Number(headers['retry-after-ms']);
  const hasRetryAfter = retryAfter >= 1000 && retryAfter <= 60_000;
  return { status: statusCode, ms: performance.now() - from, hasRetryAfter };
}

async function measureCapacity(): Promise<number> {
  const from = performance.now();
  let completed = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (performance.now() - from < 4000) {
        await sendCompletion();
        completed += 1;
      }
    }),
  );
  return (completed * 1000) / (performance.now() - from);
}

async function health(): Promise<{ queue: { waiting: number }; slots: { busy: number } }> {
  const response = await fetch(`${product.origin}/health`);
  return (await response.json()) as Awaited<ReturnType<typeof health>>;
}

function draw(): string {
  const perSecond = (status: number) =>
    samples.map((sample) => (count(sample, status) * 1000) / SAMPLE_EVERY_MS);
  return chart(
    `${TIMES_CAPACITY} times the capacity (${capacity.toFixed(0)} requests/s) from second ${BURST_FROM} to ${BURST_UNTIL}`,
    samples.map(({ second }) => second),
    [
      { title: 'queued requests', colour: '#b26b00', values: samples.map(({ waiting }) => waiting) },
      { title: 'busy slots', colour: '#1f6fb2', values: samples.map(({ busy }) => busy) },
      { title: 'completed/s (200)', colour: '#2a7d2a', values: average(perSecond(200)) },
      { title: 'rejected/s (503)', colour: '#b22222', values: perSecond(503) },
    ],
  );
}

function count(sample: Sample, status: number): number {
  return sample.results.filter((result) => result.status === status).length;
}

/** The average over a second, because responses come in fours. */
function average(values: readonly number[]): number[] {
  return values.map((_, index) => {
    const window = values.slice(Math.max(0, index - 9), index + 1);
    return window.reduce((sum, value) => sum + value, 0) / window.length;
  });
}

function printSummary(): void {
  const burst = samples.filter(({ second }) => second > BURST_FROM && second <= BURST_UNTIL);
  const rate = burst.reduce((sum, sample) => sum + count(sample, 200), 0) / (BURST_UNTIL - BURST_FROM);
  const [completed, rejected] = [200, 503].map((status) => results.filter((one) => one.status === status));
  const others = results.filter(({ status }) => status !== 200 && status !== 503);
  const withoutRetryAfter = rejected?.filter(({ hasRetryAfter }) => !hasRetryAfter).length;
  console.log(
    `completed during the burst: ${rate.toFixed(1)}/s = ${((rate / capacity) * 100).toFixed(0)} % of the capacity
completed ${completed?.length}: ${latency(completed)}
rejected ${rejected?.length}: ${latency(rejected)}; ${withoutRetryAfter} of them without a usable retry-after-ms
other results: ${others.length === 0 ? 'none' : countByStatus(others)}`,
  );
}

function countByStatus(some: readonly CompletionResult[]): string {
  const groups = Map.groupBy(some, ({ status }) => status);
  return [...groups].map(([status, { length }]) => `${length} × ${status}`).join(', ');
}

function latency(some: readonly CompletionResult[] = []): string {
  const sorted = some.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}
