import { describe, expect, it } from 'vitest';
import { sampleReport, sampleStep } from '../../test/data/sample-report.ts';
import { compare } from './compare.ts';
import type { StepReport } from './report.ts';
import { comparisonTable, errorTable, reportNotes, reportTable } from './table.ts';

const base = sampleReport([sampleStep()]);

describe('reportTable', () => {
  it('has one row per step and omits columns without values', () => {
    const plain = { ...sampleStep(16), ttftMs: null, itlMs: null, streamTokensPerSecond: null };
    expect(reportTable(sampleReport([{ ...plain, queueWaitMs: null }])).split('\n')).toEqual([
      'STEP                       DONE  FAILED  REQ/S  TOK/S  TOK/S EACH  LATENCY MS',
      'concurrency 16, prompt 16  80    0       8.00   1,000  -           1,000 / 1,400 / 1,500 / 2,000',
      'Times: p50 / p90 / p95 / p99.',
    ]);
  });
});

describe('errorTable', () => {
  it('is empty without errors', () => {
    expect(errorTable(base)).toBe('');
  });

  it('counts errors by kind', () => {
    const errors = [{ kind: '503 queue_full', count: 1200 }];
    expect(errorTable(sampleReport([{ ...sampleStep(), errors }])).split('\n')[1]).toBe(
      'concurrency 4, prompt 16  503 queue_full  1,200',
    );
  });
});

describe('comparisonTable', () => {
  const tolerances = { all: 0.1, byMetric: new Map<string, number>() };

  it('reports how many metrics were compared with the baseline', () => {
    expect(comparisonTable(compare(base, base, tolerances))).toMatch(
      /^No regression in 1[0-9] metrics compared with the baseline\.$/,
    );
  });

  it('lists regressions with their size and their tolerance', () => {
    const now = sampleReport([{ ...sampleStep(), tokensPerSecond: 750 }]);
    expect(comparisonTable(compare(base, now, tolerances)).split('\n')[1]).toBe(
      'concurrency 4, prompt 16  tokens      1,000   750  25.0%     10.0%',
    );
  });
});

const notesWith = (change: Partial<StepReport>) =>
  reportNotes(sampleReport([{ ...sampleStep(), ...change }]));
const { requests, client, tokens } = sampleStep();

describe('reportNotes', () => {
  it('returns nothing for a clean run', () => {
    expect(notesWith({})).toEqual([]);
  });

  it.each([
    [
      { client: { ...client, wasBottleneck: true } },
      /^concurrency 4, prompt 16: this client or its machine was too busy/,
    ],
    [{ requests: { ...requests, done: 0, failed: 3 } }, /no request completed; see/],
    [{ requests: { ...requests, done: 80, failed: 20 } }, /more than a tenth of the requests failed/],
    [
      { errors: [{ kind: '429 rate_limit_exceeded', count: 62 }] },
      /limits of this API key.* keys update ID --rpm 0/,
    ],
    [{ requestsPerSecond: 0 }, /no request completed within the duration/],
    [{ tokens: { ...tokens, from: 'counted' as const } }, /reports no usage/],
    [{ requests: { ...requests, resent: 1 } }, /requests were resent/],
    [{ isPartial: true }, /interrupted before the end/],
  ])('warns about %j', (change, note) => {
    expect(notesWith(change)).toEqual([expect.stringMatching(note)]);
  });

  it('reports an interrupted run', () => {
    expect(reportNotes({ ...sampleReport([]), isInterrupted: true })).toEqual([
      'Interrupted: these are partial results.',
    ]);
  });
});
