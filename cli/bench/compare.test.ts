import { describe, expect, it } from 'vitest';
import { sampleReport, sampleStep } from '../../test/harness/sample-report.ts';
import { compare, regressions, type Tolerances } from './compare.ts';
import type { Report, StepReport } from './report.ts';

const tenPerCent: Tolerances = { all: 0.1, byFigure: new Map() };
const reportWith = (change: Partial<StepReport>): Report => sampleReport([{ ...sampleStep(), ...change }]);
const spread = (p50: number) => ({ ...(sampleStep().ttftMs as NonNullable<StepReport['ttftMs']>), p50 });
const worse = (now: Report, tolerances = tenPerCent) =>
  regressions(compare(sampleReport([sampleStep()]), now, tolerances)).map(({ figure }) => figure.name);

describe('compare', () => {
  it('finds nothing wrong with the same figures', () => {
    expect(worse(reportWith({}))).toEqual([]);
  });

  it('takes a longer time and a lower rate beyond the tolerance for a regression', () => {
    expect(worse(reportWith({ ttftMs: spread(111) }))).toEqual(['ttft.p50']);
    expect(worse(reportWith({ ttftMs: spread(109) }))).toEqual([]);
    expect(worse(reportWith({ tokensPerSecond: 889 }))).toEqual(['tokens']);
    expect(worse(reportWith({ tokensPerSecond: 901 }))).toEqual([]);
  });

  it('does not mind what got better', () => {
    expect(worse(reportWith({ ttftMs: spread(1), tokensPerSecond: 5000 }))).toEqual([]);
  });

  it('gives each figure its own tolerance, the most exact name first', () => {
    const now = reportWith({ ttftMs: spread(140) });
    expect(worse(now, { all: 0.1, byFigure: new Map([['ttft', 0.5]]) })).toEqual([]);
    expect(
      worse(now, {
        all: 1,
        byFigure: new Map([
          ['ttft', 0.5],
          ['ttft.p50', 0.3],
        ]),
      }),
    ).toEqual(['ttft.p50']);
  });

  it('counts errors in points, from none too, and bears one where nothing is said', () => {
    const failing = (failed: number) =>
      reportWith({ requests: { ...sampleStep().requests, done: 1000 - failed, failed } });
    expect(worse(failing(11))).toEqual(['errors']);
    expect(worse(failing(9))).toEqual([]);
    expect(worse(failing(99), { all: 0.1, byFigure: new Map([['errors', 0.1]]) })).toEqual([]);
    expect(worse(failing(1), { all: 0.1, byFigure: new Map([['errors', 0]]) })).toEqual(['errors']);
  });

  it('leaves out steps that were broken off', () => {
    expect(worse(reportWith({ tokensPerSecond: 1, isPartial: true }))).toEqual([]);
  });

  it('names steps and conditions that cannot be compared', () => {
    const now = sampleReport([{ ...sampleStep(), name: 'concurrency 99' }]);
    const { differences, withoutBaseline, otherConditions } = compare(
      sampleReport([sampleStep()]),
      { ...now, conditions: { ...now.conditions, model: 'another', url: 'http://elsewhere/v1' } },
      tenPerCent,
    );
    expect(differences).toEqual([]);
    expect(withoutBaseline).toEqual(['concurrency 99']);
    expect(otherConditions).toEqual(['model']);
  });
});
