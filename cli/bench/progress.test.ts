import { describe, expect, it } from 'vitest';
import { progressLine, showProgress } from './progress.ts';
import { StepTally } from './step-tally.ts';

const counts = { done: 30, failed: 0, pieces: 500 };
const line = { head: '1/2 concurrency 4', counts: counts, from: 1000, until: 11_000, requests: null };

describe('progressLine', () => {
  it('shows the warm-up, the progress, and the wait for the last responses', () => {
    expect(progressLine({ ...line, at: 500 })).toBe('1/2 concurrency 4  ░░░░░░░░░░░░░░░░░░░░ warming up');
    expect(progressLine({ ...line, at: 6000 })).toBe(
      '1/2 concurrency 4  ██████████░░░░░░░░░░ 50%  30 done  100 chunks/s',
    );
    expect(progressLine({ ...line, at: 12_000 })).toContain('waiting for the last responses');
  });

  it('uses the number of requests if there is no duration', () => {
    const counted = {
      ...line,
      until: Number.POSITIVE_INFINITY,
      requests: 40,
      counts: { ...counts, failed: 2 },
    };
    expect(progressLine({ ...counted, at: 6000 })).toContain('80%  30 done, 2 failed');
  });
});

describe('showProgress', () => {
  const step = {
    name: 'concurrency 1',
    load: { kind: 'closed', concurrency: 1 },
    promptTokens: null,
  } as const;
  const drawnOn = (isTTY: boolean) => {
    let drawn = '';
    const terminal = {
      isTTY,
      columns: 40,
      write: (text: string) => {
        drawn += text;
      },
    };
    const progress = showProgress(terminal, null);
    progress.starter(step, 0, 1)(new StepTally({ from: 0, until: 1, isStream: true }), 0, 1);
    progress.stop();
    return drawn;
  };

  it('draws within one line of a terminal and clears it', () => {
    const [first, last] = [drawnOn(true).split('\r\u001b[K')[1] ?? '', drawnOn(true).slice(-4)];
    expect(first).toMatch(/^1\/1 concurrency 1/);
    expect(first.length).toBeLessThan(40);
    expect(last).toBe('\r\u001b[K');
  });

  it('prints nothing without a terminal', () => {
    expect(drawnOn(false)).toBe('');
  });
});
