import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRunning } from '../test/harness/start-deployment.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { GpuMonitor } from './gpu-monitor.ts';
import type { GpuSample } from './gpu-sample.ts';
import type { GpuTrouble } from './gpu-trouble.ts';

const standIn = join(import.meta.dirname, '../test/fakes/fake-nvidia-smi.ts');

/** Patient, unless the test is about silence: other work on the machine is no hang. */
async function watchOne(mood: string, patienceMs = 3_600_000) {
  const folder = await temporaryFolder();
  const program = folder.file(`nvidia-smi-${mood}`);
  symlinkSync(standIn, program);
  const troubles: (GpuTrouble | undefined)[] = [];
  const samples: GpuSample[] = [];
  const watch = new GpuMonitor({
    program,
    intervalMs: 20,
    sampleTimeoutMs: patienceMs,
    firstSampleTimeoutMs: mood === 'silent' ? 1500 : 3_600_000,
    onSample: (sample) => samples.push(sample),
    onTrouble: (trouble) => troubles.push(trouble),
  });
  const pids = () => readFileSync(folder.file('started'), 'utf8').trim().split('\n').map(Number);
  return {
    watch,
    troubles,
    samples,
    pids,
    async [Symbol.asyncDispose]() {
      watch.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('watching GPUs', () => {
  it('shows the latest of each, by one process', async () => {
    await using seen = await watchOne('steady');
    await waitFor('some rounds', () => seen.samples.length >= 10);
    expect(seen.watch.samples.map(({ index }) => index)).toEqual([0, 1]);
    expect(seen.watch.samples[1]).toMatchObject({ name: 'NVIDIA Stand-In', utilization: 0.5, power: 200 });
    expect(seen.watch.samples[1]?.at).toBe(seen.samples.findLast(({ index }) => index === 1)?.at);
    expect(seen.pids()).toHaveLength(1);
    expect(seen.troubles).toEqual([]);
  });

  it('ends its process when it is closed', async () => {
    await using seen = await watchOne('steady');
    await waitFor('a round', () => seen.samples.length > 0);
    const [pid = 0] = seen.pids();
    seen.watch.close();
    await waitFor('the process to end', () => !isRunning(pid));
    expect(seen.troubles).toEqual([]);
  });

  it('starts it again when it dies', async () => {
    await using seen = await watchOne('dies');
    await waitFor('the second run', () => seen.samples.length > 4);
    expect(seen.pids()).toHaveLength(2);
    expect(seen.troubles.slice(0, 2)).toEqual(['ended', undefined]);
  });

  it('kills it when it falls silent, and starts it again', async () => {
    await using seen = await watchOne('hangs', 500);
    await waitFor('the second run', () => seen.samples.length > 4);
    const [first = 0] = seen.pids();
    expect(isRunning(first)).toBe(false);
    expect(seen.troubles.slice(0, 2)).toEqual(['hung', undefined]);
  });

  it('shows nothing that is old', async () => {
    await using seen = await watchOne('hangs', 500);
    await waitFor('a round', () => seen.watch.samples.length === 2);
    await waitFor('it to be old', () => seen.watch.samples.length === 0);
  });

  it('kills one that never speaks', async () => {
    await using seen = await watchOne('silent');
    await waitFor('the end of patience', () => seen.troubles.length > 0);
    expect(seen.troubles).toEqual(['hung']);
    // Where starting a program takes longer than that, the first did not come so far as to leave its pid.
    const [first = 0] = await waitFor('one that was started', () => seen.pids());
    await waitFor('it to be gone', () => !isRunning(first));
  });

  it('asks an old driver for less, at once', async () => {
    await using seen = await watchOne('old');
    await waitFor('a round', () => seen.samples.length > 0);
    expect(seen.pids()).toHaveLength(3);
    expect(seen.troubles).toEqual([]);
    expect(seen.samples[0]).toMatchObject({ power: 200, slowdowns: undefined, recoveryAction: undefined });
  });

  it('hears the rows through rubbish', async () => {
    await using seen = await watchOne('chatty');
    await waitFor('some rounds', () => seen.samples.length >= 6);
    expect(new Set(seen.samples.map(({ power }) => power))).toEqual(new Set([200]));
    expect(seen.troubles).toEqual([]);
  });

  it('goes on with the others when one is lost, and tells once', async () => {
    await using seen = await watchOne('loses');
    await waitFor('the loss', () => seen.troubles.length > 0);
    const { length } = seen.samples;
    await waitFor('more of the other', () => seen.samples.length > length + 5);
    expect(seen.troubles).toEqual(['gpu-lost']);
    expect(seen.pids()).toHaveLength(1);
  });

  it('shows one that is lost no longer', async () => {
    await using seen = await watchOne('loses', 500);
    await waitFor('a round', () => seen.watch.samples.length === 2);
    await waitFor('the lost one to go', () => seen.watch.samples.map(({ index }) => index).join() === '0');
  });

  it('shows those that are left without a hole where a lost one ends each run, and tells of it once', async () => {
    await using seen = await watchOne('lost', 10_000);
    await waitFor('the first figures', () => seen.watch.samples.length > 0);
    const holes: number[] = [];
    await waitFor('four runs', () => {
      if (seen.watch.samples.length === 0) holes.push(seen.samples.length);
      return seen.samples.length >= 4;
    });
    expect(seen.pids().length).toBeGreaterThanOrEqual(4);
    expect([holes, seen.troubles]).toEqual([[], ['gpu-lost']]);
  });

  it('tells once that there is no driver, however often it tries', async () => {
    await using seen = await watchOne('driverless');
    await waitFor('a second try', () => seen.pids().length > 1);
    expect(seen.troubles).toEqual(['no-driver']);
    expect(seen.watch.samples).toEqual([]);
  });

  it('starts nothing where there is no nvidia-smi', () => {
    const troubles: unknown[] = [];
    const watch = new GpuMonitor({
      program: 'no-such-nvidia-smi',
      intervalMs: 20,
      onTrouble: (trouble) => troubles.push(trouble),
    });
    expect([troubles, watch.samples]).toEqual([['absent'], []]);
    watch.close();
  });
});
