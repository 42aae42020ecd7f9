import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded } from '../../store/batch.ts';
import { storeFileName } from '../../store/store.ts';
import {
  allResults,
  type BatchRequest,
  chatLine,
  createBatchOfLines,
  currentBatch,
} from '../harness/batches.ts';
import { atLeast, exactly, type Report } from '../several-models/report.ts';
import { type BatchProduct, startBatchProduct } from './product.ts';
import type { Scenario, ScenarioOptions } from './scenario.ts';

/** Tokens of each beginning, and how many different ones there are: more than slots. */
const PREFIX_TOKENS = 2000;
const PREFIXES = 8;
const MAX_TOKENS = 16;

/** Proof 5. */
export const sharedPrefix: Scenario = {
  claim: `a shuffled file of lines with ${PREFIXES} beginnings of ${PREFIX_TOKENS} tokens: faster than in the order of the file`,
  async run({ lines: count = 320, onProgress }) {
    const lines = shuffledLines(count);
    const sorted = await measure('sorted', lines, onProgress);
    const inFileOrder = await measure('in the order of the file', lines, onProgress);
    return report(count, sorted, inFileOrder);
  },
};

/** Letters are a token each for the demo model; the beginnings differ from their first word on. */
function shuffledLines(count: number): BatchRequest[] {
  const prefixOf = (n: number) =>
    `Handbook ${n}. ${'The gate is open at noon. '.repeat(200)}`.slice(0, PREFIX_TOKENS);
  const lines = Array.from({ length: count }, (_, n) => {
    const messages = [
      { role: 'system', content: prefixOf(n % PREFIXES) },
      { role: 'user', content: `Question ${n}: tell me about keys` },
    ];
    return { custom_id: `line-${n}`, ...chatLine({ messages, max_tokens: MAX_TOKENS }) };
  });
  // The same order in every run, which is not that of the beginnings.
  const place = ({ custom_id: id }: BatchRequest) => (Number(id.split('-')[1]) * 7919) % 104_729;
  return lines.toSorted((a, b) => place(a) - place(b));
}

type Order = 'sorted' | 'in the order of the file';

interface Run {
  readonly seconds: number;
  readonly completed: number;
  readonly tokensPerLine: number;
  readonly cached: number;
}

async function measure(
  order: Order,
  lines: readonly BatchRequest[],
  onProgress: ScenarioOptions['onProgress'],
): Promise<Run> {
  // Without a cache in the machine's memory, as on a GPU whose memory is full.
  await using product = await startBatchProduct({ EXTRA_ARGS: '--cache-ram 0' });
  if (order !== 'sorted') keepFileOrder(product);
  const batch = await createBatchOfLines(product.store, lines);
  for (let n = 0; !hasEnded(currentBatch(product.store, batch).status); n++) {
    if (n % 50 === 0) onProgress(`${order}: ${currentBatch(product.store, batch).counts.completed} lines`);
    await sleep(100);
  }
  const ended = currentBatch(product.store, batch);
  const results = await allResults(product.store, ended);
  const times = results.length > 0 ? (ended.finalizingAt ?? 0) - (ended.inProgressAt ?? 0) : 0;
  const { inputTokens, cachedTokens } = ended.usage;
  return {
    seconds: times,
    completed: ended.counts.completed,
    tokensPerLine: inputTokens / lines.length,
    cached: cachedTokens / inputTokens,
  };
}

/** The runner takes lines in the order of their sort keys: the database replaces them by their numbers. */
function keepFileOrder({ dataDir }: BatchProduct): void {
  using db = new DatabaseSync(join(dataDir, storeFileName), { timeout: 5000 });
  db.exec(`CREATE TRIGGER keep_file_order AFTER INSERT ON lines BEGIN
    UPDATE lines SET sort = CAST(printf('%010d', new.line) AS BLOB) WHERE batch = new.batch AND line = new.line;
  END`);
}

function report(count: number, sorted: Run, inFileOrder: Run): Report {
  const figuresOf = (order: Order, run: Run) => [
    { name: `${order}: completed lines`, value: run.completed, goal: exactly(count) },
    { name: `${order}: seconds`, value: run.seconds, unit: 's' },
    { name: `${order}: cached prompt tokens`, value: 100 * run.cached, unit: '%' },
  ];
  return {
    figures: [
      { name: 'prompt tokens of a line', value: sorted.tokensPerLine },
      ...figuresOf('sorted', sorted),
      ...figuresOf('in the order of the file', inFileOrder),
      {
        name: 'throughput of sorted to file order',
        value: inFileOrder.seconds / sorted.seconds,
        goal: atLeast(1.5),
      },
    ],
  };
}
