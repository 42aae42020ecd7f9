import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRunning } from '../test/harness/start-deployment.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { GpuMonitor } from './gpu-monitor.ts';
import type { GpuSample } from './gpu-sample.ts';
import type { GpuTrouble } from './gpu-trouble.ts';

const fakeSmi = join(import.meta.dirname, '../test/fakes/fake-nvidia-smi.ts');

/** Timeouts are long unless the test is about them, because a busy machine is slow. */
async function monitorFake(scenario: string, timeoutMs = 3_600_000) {
  const folder = await temporaryFolder();
  const program = folder.file(`nvidia-smi-${scenario}`);
  symlinkSync(fakeSmi, program);
  const troubles: (GpuTrouble | undefined)[] = [];
  const samples: GpuSample[] = [];
  const monitor = new GpuMonitor({
    program,
    intervalMs: 20,
    sampleTimeoutMs: timeoutMs,
    firstSampleTimeoutMs: scenario === 'silent' ? 1500 : 3_600_000,
    onSample: (sample) => samples.push(sample),
    onTrouble: (trouble) => troubles.push(trouble),
  });
  const pids = () => readFileSync(folder.file('started'), 'utf8').trim().split('\n').map(Number);
  return {
    monitor,
    troubles,
    samples,
    pids,
    async [Symbol.asyncDispose]() {
      monitor.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('the GPU monitor', () => {
  it('returns the latest sample of each GPU from one process', async () => {
    await using run = await monitorFake('steady');
    await waitFor('some rounds', () => run.samples.length >= 10);
    expect(run.monitor.samples.map(({ index }) => index)).toEqual([0, 1]);
    expect(run.monitor.samples[1]).toMatchObject({ name: 'NVIDIA Fake', utilization: 0.5, power: 200 });
    expect(run.monitor.samples[1]?.at).toBe(run.samples.findLast(({ index }) => index === 1)?.at);
    expect(run.pids()).toHaveLength(1);
    expect(run.troubles).toEqual([]);
  });

  it('kills its process on close', async () => {
    await using run = await monitorFake('steady');
    await waitFor('a round', () => run.samples.length > 0);
    const [pid = 0] = run.pids();
    run.monitor.close();
    await waitFor('the process to exit', () => !isRunning(pid));
    expect(run.troubles).toEqual([]);
  });

  it('restarts the process when it exits', async () => {
    await using run = await monitorFake('dies');
    await waitFor('the second run', () => run.samples.length > 4);
    expect(run.pids()).toHaveLength(2);
    expect(run.troubles.slice(0, 2)).toEqual(['ended', undefined]);
  });

  it('kills and restarts the process when it stops writing', async () => {
    await using run = await monitorFake('hangs', 500);
    await waitFor('the second run', () => run.samples.length > 4);
    const [first = 0] = run.pids();
    expect(isRunning(first)).toBe(false);
    expect(run.troubles.slice(0, 2)).toEqual(['hung', undefined]);
  });

  it('returns no expired samples', async () => {
    await using run = await monitorFake('hangs', 500);
    await waitFor('a round', () => run.monitor.samples.length === 2);
    await waitFor('the samples to expire', () => run.monitor.samples.length === 0);
  });

  it('kills a process that never writes', async () => {
    await using run = await monitorFake('silent');
    await waitFor('the timeout', () => run.troubles.length > 0);
    expect(run.troubles).toEqual(['hung']);
    // If starting a program takes longer than the timeout, the first process did not get as far as writing its pid.
    // Its file is empty for a moment.
    const first = await waitFor('a started process', () => run.pids()[0]);
    await waitFor('it to exit', () => !isRunning(first));
  });

  it('retries at once with fewer fields for an old driver', async () => {
    await using run = await monitorFake('old');
    await waitFor('a round', () => run.samples.length > 0);
    expect(run.pids()).toHaveLength(3);
    expect(run.troubles).toEqual([]);
    expect(run.samples[0]).toMatchObject({ power: 200, slowdowns: undefined, recoveryAction: undefined });
  });

  it('finds the rows among other output', async () => {
    await using run = await monitorFake('chatty');
    await waitFor('some rounds', () => run.samples.length >= 6);
    expect(new Set(run.samples.map(({ power }) => power))).toEqual(new Set([200]));
    expect(run.troubles).toEqual([]);
  });

  it('keeps reporting the other GPUs when one is lost, and reports the loss once', async () => {
    await using run = await monitorFake('loses');
    await waitFor('the loss', () => run.troubles.length > 0);
    const { length } = run.samples;
    await waitFor('more samples of the other GPU', () => run.samples.length > length + 5);
    expect(run.troubles).toEqual(['gpu-lost']);
    expect(run.pids()).toHaveLength(1);
  });

  it('returns no samples of a lost GPU', async () => {
    await using run = await monitorFake('loses', 500);
    await waitFor('a sample of the GPU that is lost later', () =>
      run.samples.some(({ index }) => index === 1),
    );
    await waitFor(
      'the samples of the lost GPU to expire',
      () => run.monitor.samples.map(({ index }) => index).join() === '0',
    );
  });

  it('reports the remaining GPUs without gaps if a lost GPU ends each run, and reports the loss once', async () => {
    await using run = await monitorFake('lost', 10_000);
    await waitFor('the first samples', () => run.monitor.samples.length > 0);
    const gaps: number[] = [];
    await waitFor('four runs', () => {
      if (run.monitor.samples.length === 0) gaps.push(run.samples.length);
      return run.samples.length >= 4;
    });
    expect(run.pids().length).toBeGreaterThanOrEqual(4);
    expect([gaps, run.troubles]).toEqual([[], ['gpu-lost']]);
  });

  it('reports a missing driver once, however often it retries', async () => {
    await using run = await monitorFake('driverless');
    await waitFor('a second attempt', () => run.pids().length > 1);
    expect(run.troubles).toEqual(['no-driver']);
    expect(run.monitor.samples).toEqual([]);
  });

  it('starts no process if nvidia-smi is not found', () => {
    const troubles: unknown[] = [];
    const monitor = new GpuMonitor({
      program: 'no-such-nvidia-smi',
      intervalMs: 20,
      onTrouble: (trouble) => troubles.push(trouble),
    });
    expect([troubles, monitor.samples]).toEqual([['absent'], []]);
    monitor.close();
  });
});
