import { describe, expect, it } from 'vitest';
import { sampleReport, sampleStep } from '../../test/data/sample-report.ts';
import { compare, regressions, type Tolerances } from './compare.ts';
import type { Report, StepReport } from './report.ts';

const tenPerCent: Tolerances = { all: 0.1, byMetric: new Map() };
const reportWith = (change: Partial<StepReport>): Report => sampleReport([{ ...sampleStep(), ...change }]);
const distribution = (p50: number) => ({
  ...(sampleStep().ttftMs as NonNullable<StepReport['ttftMs']>),
  p50,
});
const worse = (now: Report, tolerances = tenPerCent) =>
  regressions(compare(sampleReport([sampleStep()]), now, tolerances)).map(({ metric }) => metric.name);

describe('compare', () => {
  it('finds no regression in equal results', () => {
    expect(worse(reportWith({}))).toEqual([]);
  });

  it('reports a longer time or a lower rate beyond the tolerance as a regression', () => {
    expect(worse(reportWith({ ttftMs: distribution(111) }))).toEqual(['ttft.p50']);
    expect(worse(reportWith({ ttftMs: distribution(109) }))).toEqual([]);
    expect(worse(reportWith({ tokensPerSecond: 889 }))).toEqual(['tokens']);
    expect(worse(reportWith({ tokensPerSecond: 901 }))).toEqual([]);
  });

  it('compares no percentile of a few requests, which one of them decides', () => {
    const slow = (count: number) =>
      reportWith({ ttftMs: { ...distribution(100), count, p95: 9000, p99: 9000 } });
    expect(worse(slow(4))).toEqual([]);
    expect(worse(slow(60))).toEqual(['ttft.p95']);
  });

  it('ignores improvements', () => {
    expect(worse(reportWith({ ttftMs: distribution(1), tokensPerSecond: 5000 }))).toEqual([]);
  });

  it('uses the tolerance with the most specific name', () => {
    const now = reportWith({ ttftMs: distribution(140) });
    expect(worse(now, { all: 0.1, byMetric: new Map([['ttft', 0.5]]) })).toEqual([]);
    expect(
      worse(now, {
        all: 1,
        byMetric: new Map([
          ['ttft', 0.5],
          ['ttft.p50', 0.3],
        ]),
      }),
    ).toEqual(['ttft.p50']);
  });

  it('compares errors in percentage points and tolerates one by default', () => {
    const failing = (failed: number) =>
      reportWith({ requests: { ...sampleStep().requests, done: 1000 - failed, failed } });
    expect(worse(failing(11))).toEqual(['errors']);
    expect(worse(failing(9))).toEqual([]);
    expect(worse(failing(99), { all: 0.1, byMetric: new Map([['errors', 0.1]]) })).toEqual([]);
    expect(worse(failing(1), { all: 0.1, byMetric: new Map([['errors', 0]]) })).toEqual(['errors']);
  });

  it('skips interrupted steps', () => {
    expect(worse(reportWith({ tokensPerSecond: 1, isPartial: true }))).toEqual([]);
  });

  it('reports steps and conditions that cannot be compared', () => {
    const now = sampleReport([{ ...sampleStep(), name: 'concurrency 99' }]);
    const { differences, withoutBaseline, differingConditions } = compare(
      sampleReport([sampleStep()]),
      { ...now, conditions: { ...now.conditions, model: 'another', url: 'http://elsewhere/v1' } },
      tenPerCent,
    );
    expect(differences).toEqual([]);
    expect(withoutBaseline).toEqual(['concurrency 99']);
    expect(differingConditions).toEqual(['model']);
  });
});
