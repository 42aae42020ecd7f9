import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../fs/folders.ts';
import { INTERVAL, MAX_SAMPLES, type StatsSample } from './stats-sampler.ts';

/** The numbers of a sample in the file, in this order. A file with others is not read. */
const fields = [
  ...(['at', 'tokens', 'firstTokenP50', 'firstTokenP95', 'promptP50', 'promptP95'] as const),
  ...(['waitP50', 'waitP95', 'running', 'waiting', 'requests', 'errors'] as const),
] satisfies readonly (keyof StatsSample)[];
const SAMPLE_BYTES = fields.length * 8;
const FILE_BYTES = MAX_SAMPLES * SAMPLE_BYTES;

/**
 * Keeps the samples of the dashboard's charts over a restart of the gateway, when an operator wants to see them most. The
 * file has one place for each second of the last fifteen minutes, so a sample costs one small write. Idle seconds cost none,
 * and without a writable folder the history ends with the process.
 */
export class StatsHistory {
  readonly #path: string;
  #file: Promise<FileHandle | undefined> | undefined;
  #writing: Promise<void> | undefined;
  #wasIdle = true;

  constructor(path: string) {
    this.#path = path;
  }

  /** The samples of the last fifteen minutes, oldest first. */
  async read(now = Date.now()): Promise<StatsSample[]> {
    const bytes = await readFile(this.#path).catch(() => undefined);
    if (bytes?.length !== FILE_BYTES) return [];
    return Array.from({ length: MAX_SAMPLES }, (_, place) => readSample(bytes, place * SAMPLE_BYTES))
      .filter(({ at }) => at <= now && at > now - MAX_SAMPLES * INTERVAL)
      .sort((a, b) => a.at - b.at);
  }

  /** Returns at once. While a write hangs, further samples are dropped. */
  add(sample: StatsSample): void {
    const isIdle = sample.running + sample.waiting + sample.requests + sample.tokens === 0;
    const isRepeated = isIdle && this.#wasIdle;
    this.#wasIdle = isIdle;
    if (isRepeated || this.#writing) return;
    this.#writing = this.#write(sample).finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when the last sample is written. */
  settled(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  async close(): Promise<void> {
    await this.settled();
    await (await this.#file)?.close().catch(() => {});
  }

  async #write(sample: StatsSample): Promise<void> {
    this.#file ??= openForWriting(this.#path).catch(() => undefined);
    const place = Math.floor(sample.at / INTERVAL) % MAX_SAMPLES;
    const numbers = Float64Array.from(fields, (field) => sample[field] ?? Number.NaN);
    const file = await this.#file;
    await file?.write(numbers, 0, SAMPLE_BYTES, place * SAMPLE_BYTES).catch(() => {});
  }
}

async function openForWriting(path: string): Promise<FileHandle> {
  makeFolder(dirname(path), 0o700);
  const file = await open(path, 'r+', 0o600).catch(() => open(path, 'w+', 0o600));
  const { size } = await file.stat();
  if (size !== FILE_BYTES) await file.truncate(0);
  await file.truncate(FILE_BYTES);
  return file;
}

function readSample(bytes: Buffer, offset: number): StatsSample {
  const numbers = fields.map((field, index) => {
    const value = bytes.readDoubleLE(offset + index * 8);
    return [field, Number.isNaN(value) ? null : value];
  });
  return Object.fromEntries(numbers) as StatsSample;
}
