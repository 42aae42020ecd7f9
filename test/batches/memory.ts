import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { storyText } from '../../cli/demo-model/stories.ts';
import { type Batch, hasEnded } from '../../store/batch.ts';
import { chatLine, currentBatch, untilEnded } from '../harness/batches.ts';
import { residentMegabytes } from '../harness/process-usage.ts';
import { atMost, exactly, type Figure } from '../several-models/report.ts';
import { appSecret, type BatchProduct, pidOf, processes, startBatchProduct } from './product.ts';
import type { Scenario } from './scenario.ts';

/** Makes a line of 4,000 bytes, of which the engine reads little: a batch of long prompts would take it hours. */
const METADATA = Object.fromEntries(
  Array.from({ length: 8 }, (_, n) => [`note-${n}`, 'The gate is open at noon. '.repeat(18)]),
);
const MAX_TOKENS = 4;

/** Proof 4. */
export const memory: Scenario = {
  claim: 'a file of 200 MB with 50,000 lines: no process needs 50 MB more than before',
  async run({ lines: count = 50_000, onProgress }) {
    // The engine keeps prompts in memory up to a limit of its own, whatever they belong to.
    await using product = await startBatchProduct({ BATCH_SLOTS: '4', EXTRA_ARGS: '--cache-ram 0' });
    const text = inputText(count);
    onProgress('a small batch first, so that every process has run its code');
    const small = await upload(product, inputText(1000));
    await untilEnded(product.store, await createBatch(product, small.id));
    await download(product, small.id);

    const pids = pidsOf(product);
    const before = pids.map(({ pid }) => residentMegabytes(pid));
    const peaks = [...before];
    using _ = watch(pids, peaks);
    const disk = diskSeconds(product.dataDir, text);
    const uploaded = await upload(product, text);
    onProgress(`uploaded in ${uploaded.seconds.toFixed(1)} s, the disk alone ${disk.toFixed(1)} s`);
    const { owner, id } = await createBatch(product, uploaded.id);
    const since = performance.now();
    for await (const _tick of every(15_000)) {
      const { status, counts } = currentBatch(product.store, { owner, id });
      onProgress(`${status}: ${counts.completed} of ${counts.total}`);
      if (hasEnded(status)) break;
    }
    const seconds = (performance.now() - since) / 1000;
    const { counts, outputFileId } = currentBatch(product.store, { owner, id });
    const copied = await download(product, uploaded.id);
    const output = outputFileId === null ? '' : (await download(product, outputFileId)).text.toString();
    const results = output.trimEnd().split('\n');
    const expected = JSON.stringify(storyText('keys').slice(0, MAX_TOKENS)).slice(0, -1);
    return {
      figures: [
        { name: 'size of the file', value: text.length / 1e6, unit: 'MB' },
        { name: 'completed lines', value: counts.completed, goal: exactly(count) },
        {
          name: 'results with another text',
          value: results.filter((line) => !line.includes(`"content":${expected}`)).length,
          goal: exactly(0),
        },
        { name: 'differences of the download', value: Buffer.compare(copied.text, text), goal: exactly(0) },
        { name: 'the batch', value: seconds, unit: 's' },
        { name: 'the disk alone', value: text.length / 1e6 / disk, unit: 'MB/s' },
        { name: 'upload', value: text.length / 1e6 / uploaded.seconds, unit: 'MB/s' },
        { name: 'download', value: text.length / 1e6 / copied.seconds, unit: 'MB/s' },
        ...pids.map(
          ({ name }, n): Figure => ({
            name: `${name}, more than the ${Math.round(before[n] ?? 0)} MB before`,
            value: (peaks[n] ?? 0) - (before[n] ?? 0),
            unit: 'MB',
            goal: atMost(50),
          }),
        ),
      ],
    };
  },
};

function inputText(lines: number): Buffer {
  const texts = Array.from({ length: lines }, (_, n) => {
    const messages = [{ role: 'user', content: `${n}: tell me about keys` }];
    const line = chatLine({ messages, max_tokens: MAX_TOKENS, metadata: METADATA });
    return `${JSON.stringify({ custom_id: `line-${n}`, ...line })}\n`;
  });
  return Buffer.from(texts.join(''));
}

const pidsOf = (product: BatchProduct) =>
  processes.map((name) => {
    const pid = name === 'supervisor' ? product.product.process.pid : pidOf(product.product, name);
    if (pid === undefined) throw new Error(`no ${name}`);
    return { name, pid };
  });

/** Keeps the highest values in `peaks`. */
function watch(pids: readonly { readonly pid: number }[], peaks: number[]): Disposable {
  const timer = setInterval(() => {
    for (const [n, { pid }] of pids.entries()) peaks[n] = Math.max(peaks[n] ?? 0, residentMegabytes(pid));
  }, 50);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** How long it takes to write the file and to wait for the disk, in seconds. */
function diskSeconds(folder: string, text: Buffer): number {
  const file = join(folder, 'disk');
  const since = performance.now();
  writeFileSync(file, text, { flush: true });
  const seconds = (performance.now() - since) / 1000;
  rmSync(file);
  return seconds;
}

async function request({ product }: BatchProduct, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...init.headers, authorization: `Bearer ${appSecret}` };
  const response = await fetch(`${product.origin}${path}`, { ...init, headers });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

async function upload(product: BatchProduct, text: Buffer) {
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob([text]), 'input.jsonl');
  const since = performance.now();
  const response = await request(product, '/v1/files', { method: 'POST', body: form });
  const { id } = (await response.json()) as { id: string };
  return { id, seconds: (performance.now() - since) / 1000 };
}

async function createBatch(product: BatchProduct, fileId: string): Promise<Batch> {
  const response = await request(product, '/v1/batches', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ input_file_id: fileId, endpoint: '/v1/chat/completions', completion_window: '24h' },
    }),
  });
  const { id } = (await response.json()) as { id: string };
  return currentBatch(product.store, { owner: 'app', id });
}

async function download(product: BatchProduct, id: string) {
  const since = performance.now();
  const response = await request(product, `/v1/files/${id}/content`);
  const text = Buffer.from(await response.arrayBuffer());
  return { text, seconds: (performance.now() - since) / 1000 };
}
