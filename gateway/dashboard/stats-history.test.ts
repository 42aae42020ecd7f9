import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StatsHistory } from './stats-history.ts';
import type { StatsSample } from './stats-sampler.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'corral-history-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

const noTimes = {
  ...{ firstTokenP50: null, firstTokenP95: null, promptP50: null, promptP95: null },
  ...{ waitP50: null, waitP95: null },
};
const idle: StatsSample = { at: 0, tokens: 0, ...noTimes, running: 0, waiting: 0, requests: 0, errors: 0 };
const now = 1_800_000_000_000;
const at = (second: number, change: Partial<StatsSample> = {}): StatsSample => ({
  ...{ ...idle, at: now + second * 1000 },
  ...change,
});

const open = (path = join(folder, 'dashboard/history')) => new StatsHistory(path);

/** Writes samples one after the other, as the seconds would pass. */
async function write(history: StatsHistory, samples: readonly StatsSample[]): Promise<void> {
  for (const sample of samples) {
    history.add(sample);
    await history.settled();
  }
}

it('has the samples of the last fifteen minutes after a restart, in order, exactly', async () => {
  const samples = [
    at(-901, { tokens: 1 }),
    at(-899, { tokens: 2 }),
    at(-1, { tokens: 812, firstTokenP50: 0.25, waitP95: 1.5, running: 4, waiting: 9 }),
    at(0, { requests: 3, errors: 1 }),
  ];
  const before = open();
  await write(before, samples);
  await before.close();
  expect(await open().read(now + 500)).toEqual(samples.slice(1));
  expect(await open().read(now + 899_000)).toEqual(samples.slice(3));
});

it('writes the first idle sample, and no further ones', async () => {
  const history = open();
  await write(history, [at(0), at(1, { running: 1 }), at(2), at(3), at(4)]);
  expect((await history.read(now + 5000)).map((sample) => (sample.at - now) / 1000)).toEqual([1, 2]);
  await history.close();
});

it.each([
  ['no folder', () => {}],
  ['a file of another version', () => writeFileSync(join(folder, 'dashboard'), 'x')],
])('begins empty with %s', async (_, prepare) => {
  prepare();
  const history = open(join(folder, 'dashboard'));
  expect(await history.read(now)).toEqual([]);
  await write(history, [at(0, { tokens: 5 })]);
  expect(await history.read(now)).toEqual([at(0, { tokens: 5 })]);
  await history.close();
});

it('is silent without a writable folder', async () => {
  writeFileSync(join(folder, 'file'), '');
  const history = open(join(folder, 'file/history'));
  await write(history, [at(0, { tokens: 5 })]);
  expect(await history.read(now)).toEqual([]);
  await history.close();
});
