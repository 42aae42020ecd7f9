import { describe, expect, it } from 'vitest';
import { sampleStep } from '../../../test/data/sample-report.ts';
import type { StepReport } from '../report.ts';
import {
  distributionCharts,
  linearScale,
  loadCharts,
  logScale,
  namedScale,
  timelineCharts,
} from './report-charts.ts';

const withPrompt = (step: StepReport, promptTokens: number) => ({ ...step, promptTokens });
const steps = [1, 16].flatMap((concurrency) =>
  [16, 512].map((tokens) => withPrompt(sampleStep(concurrency), tokens)),
);

describe('loadCharts', () => {
  it('has one TTFT chart per prompt length, and one line per prompt length in the others', () => {
    const charts = loadCharts(steps);
    expect(charts.map(({ title }) => title)).toEqual([
      'Time to first token, 16 tokens in',
      'Time to first token, 512 tokens in',
      'Total throughput',
      'Throughput per stream, median',
      'Requests',
      'Time between tokens, 95th percentile',
      'Queue time, 95th percentile',
    ]);
    expect(charts[0]?.series.map(({ name, points }) => [name, points.map(({ x, y }) => [x, y])])).toEqual([
      [
        'p50',
        [
          [0, 100],
          [1, 100],
        ],
      ],
      [
        'p95',
        [
          [0, 150],
          [1, 150],
        ],
      ],
      [
        'p99',
        [
          [0, 200],
          [1, 200],
        ],
      ],
    ]);
    expect(charts[2]?.series.map(({ name }) => name)).toEqual(['16 tokens in', '512 tokens in']);
  });

  it('puts the common part of all loads below the axis', () => {
    const [closed] = loadCharts([sampleStep(4)]);
    expect([closed?.x.label, closed?.x.show(0)]).toEqual(['concurrent clients', '4']);
    const open = { ...sampleStep(), load: { kind: 'open', rate: 50, arrivals: 'poisson' } as const };
    const [mixed] = loadCharts([sampleStep(4), open]);
    expect([mixed?.x.label, mixed?.x.show(0), mixed?.x.show(1)]).toEqual([
      'offered load',
      'concurrency 4',
      'rate 50/s',
    ]);
  });

  it('omits charts without values', () => {
    const titles = loadCharts([{ ...sampleStep(), ttftMs: null, queueWaitMs: null, itlMs: null }]);
    expect(titles.map(({ title }) => title)).toEqual([
      'Total throughput',
      'Throughput per stream, median',
      'Requests',
    ]);
  });
});

describe('distributionCharts', () => {
  it('rises from 0% to 100%', () => {
    for (const { series } of distributionCharts([sampleStep()])) {
      const shares = series[0]?.points.map(({ y }) => y) ?? [];
      expect([shares[0], shares.at(-1)]).toEqual([0, 100]);
    }
    expect(distributionCharts([{ ...sampleStep(), latencyMs: null, ttftMs: null, itlMs: null }])).toEqual([]);
  });
});

describe('timelineCharts', () => {
  it('omits lines without values', () => {
    const names = timelineCharts(sampleStep()).map(({ series }) => series.map(({ name }) => name));
    expect(names).toEqual([['tokens'], ['TTFT'], ['done']]);
  });
});

describe('linearScale', () => {
  it.each([
    [9, [0, 2.5, 5, 7.5, 10]],
    [100, [0, 25, 50, 75, 100]],
    [1234, [0, 500, 1000, 1500]],
    [0.004, [0, 0.001, 0.002, 0.003, 0.004]],
  ])('has round ticks up to %d', (most, ticks) => {
    const scale = linearScale(most);
    expect(scale.ticks).toEqual(ticks.map((tick) => expect.closeTo(tick, 9)));
    expect(scale.place(scale.ticks.at(-1) ?? 0)).toBeCloseTo(1);
    expect(scale.place(most)).toBeLessThanOrEqual(1 + 1e-9);
  });

  it('works if all values are 0', () => {
    expect(linearScale(0).place(0)).toBe(0);
  });
});

describe('logScale', () => {
  it('has powers of ten as ticks', () => {
    const scale = logScale(3, 250);
    expect(scale.ticks).toEqual([1, 10, 100, 1000]);
    expect(scale.place(10)).toBeCloseTo(1 / 3);
  });

  it('has a length if all values are equal', () => {
    expect(logScale(10, 10).ticks).toEqual([10, 100]);
  });
});

describe('namedScale', () => {
  it('spaces names evenly and centres a single one', () => {
    expect(namedScale(1).place(0)).toBe(0.5);
    const { place } = namedScale(3);
    expect(place(1) - place(0)).toBeCloseTo(place(2) - place(1));
  });
});
