import { describe, expect, it } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { measureClientLoad, wasBottleneck } from './client-load.ts';

describe('watchClient', () => {
  it('sees that this process was at work', async () => {
    const end = measureClientLoad();
    let looks = 0;
    await waitFor('some looks', () => {
      const busyUntil = performance.now() + 30;
      while (performance.now() < busyUntil);
      looks += 1;
      return looks === 10;
    });
    const { cpu, loop, lagMs, wasBottleneck: wasIt } = end();
    expect(cpu).toBeGreaterThan(0);
    expect(loop).toBeGreaterThan(0);
    expect(lagMs).toBeGreaterThan(20);
    expect(wasIt).toBe(true);
  });
});

describe('wasBottleneck', () => {
  it.each([
    [{ loop: 0.5, lagMs: 2 }, false],
    [{ loop: 0.9, lagMs: 2 }, true],
    [{ loop: 0.5, lagMs: 30 }, true],
  ])('of %j is %s', (seen, expected) => {
    expect(wasBottleneck(seen)).toBe(expected);
  });
});
