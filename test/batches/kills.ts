import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerFileName } from '../../gateway/usage/ledger-file.ts';
import type { Batch } from '../../store/batch.ts';
import { hasEnded } from '../../store/batch.ts';
import {
  allResults,
  type BatchResult,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
  storyOf,
} from '../harness/batches.ts';
import { atMost, exactly, type Report } from '../several-models/report.ts';
import { type BatchProduct, type ProcessName, processes, startBatchProduct } from './product.ts';
import type { Scenario, ScenarioOptions } from './scenario.ts';

/** Tokens of an answer, so that ten thousand lines take minutes. */
const MAX_TOKENS = 64;
/** Lines at the gateway at once: three slots for batches, and one that waits. */
const IN_FLIGHT = 4;
/** Until the ledger is written for certain. */
const UNWRITTEN_SECONDS = 2;

type Kills = Readonly<Record<ProcessName, number>>;

/** Proof 1. */
export const kills: Scenario = {
  claim: 'a batch during kill -9 of engine, gateway, runner and supervisor: each line has one exact result',
  async run({ lines = 10_000, kills: count = 30, onProgress }) {
    await using batches = await startBatchProduct();
    const { store } = batches;
    const batch = await createBatchOfLines(store, chatLines(lines, 'line', { max_tokens: MAX_TOKENS }));
    const startedAt = performance.now();
    const killed = await killWhileRunning(batches, batch, count, onProgress);
    const ended = await untilEnded(batches, batch, onProgress);
    const seconds = (performance.now() - startedAt) / 1000;
    const results = await allResults(store, ended);
    return report({ ended, results, lines, killed, seconds, ledger: await ledgerTokens(batches) });
  },
};

/** Spreads the kills over the batch: each at a random time, of a random process. */
async function killWhileRunning(
  batches: BatchProduct,
  batch: Batch,
  count: number,
  onProgress: ScenarioOptions['onProgress'],
): Promise<Kills> {
  const killed = { engine: 0, gateway: 0, runner: 0, supervisor: 0 };
  for (let n = 0; n < count; n++) {
    const done = await untilDone(batches, batch, (n + Math.random()) / (count + 1));
    const name = processes[Math.floor(Math.random() * processes.length)] ?? 'engine';
    onProgress(`${done} lines done; kill ${n + 1} of ${count}: ${name}`);
    await batches.kill(name);
    killed[name] += 1;
  }
  return killed;
}

/** Resolves with the number of results when this part of the lines has one. */
async function untilDone({ store }: BatchProduct, batch: Batch, part: number): Promise<number> {
  for (;;) {
    const { counts, status } = currentBatch(store, batch);
    const done = counts.completed + counts.failed;
    if ((counts.total > 0 && done >= part * counts.total) || hasEnded(status)) return done;
    await sleep(20);
  }
}

async function untilEnded(
  { store }: BatchProduct,
  batch: Batch,
  onProgress: ScenarioOptions['onProgress'],
): Promise<Batch> {
  for (let n = 0; ; n++) {
    const now = currentBatch(store, batch);
    if (hasEnded(now.status)) return now;
    if (n % 100 === 0) onProgress(`${now.status}: ${now.counts.completed} of ${now.counts.total}`);
    await sleep(100);
  }
}

/** Input and output tokens of the key, after the ledger was written. */
async function ledgerTokens({ dataDir }: BatchProduct): Promise<number> {
  await sleep(UNWRITTEN_SECONDS * 1000);
  using db = new DatabaseSync(join(dataDir, ledgerFileName), { readOnly: true });
  const row = db.prepare("SELECT sum(input + output) AS tokens FROM usage WHERE key_id = 'app'").get();
  return Number(row?.tokens);
}

interface Outcome {
  readonly ended: Batch;
  readonly results: readonly BatchResult[];
  readonly lines: number;
  readonly killed: Kills;
  readonly seconds: number;
  readonly ledger: number;
}

function report({ ended, results, lines, killed, seconds, ledger }: Outcome): Report {
  const ids = new Set(results.map(({ custom_id: id }) => id));
  const wrong = results.filter((result) => !isExact(result));
  const usage = ended.usage.inputTokens + ended.usage.outputTokens;
  const perLine = usage / lines;
  const all = Object.values(killed).reduce((sum, count) => sum + count, 0);
  const inFlight = all * IN_FLIGHT * perLine;
  return {
    figures: [
      { name: 'lines', value: lines },
      ...Object.entries(killed).map(([name, value]) => ({ name: `kills of the ${name}`, value })),
      { name: 'seconds', value: seconds, unit: 's' },
      { name: 'lines with results', value: ids.size, goal: exactly(lines) },
      { name: 'results', value: results.length, goal: exactly(lines) },
      { name: 'results that are not exact', value: wrong.length, goal: exactly(0) },
      { name: 'completed lines', value: ended.counts.completed, goal: exactly(lines) },
      { name: 'tokens in the batch', value: usage },
      {
        name: 'difference of the ledger',
        value: Math.abs(ledger - usage),
        unit: 'tokens',
        goal: atMost(Math.ceil(inFlight)),
      },
      { name: 'difference of the ledger', value: (100 * (ledger - usage)) / usage, unit: '%' },
    ],
    problems: wrong.map((result) => JSON.stringify(result).slice(0, 300)),
  };
}

/** The answer is cut after so many tokens, which are at most a few characters each. */
function isExact(result: BatchResult): boolean {
  const text = chatTextOf(result) ?? '';
  const { text: story } = storyOf(Number(result.custom_id.split('-').at(-1)));
  const { finish_reason: reason } = result.response?.body.choices?.[0] ?? {};
  const { completion_tokens: tokens } = result.response?.body.usage ?? {};
  return reason === 'length'
    ? tokens === MAX_TOKENS && story.startsWith(text) && text.length >= MAX_TOKENS
    : text === story;
}
