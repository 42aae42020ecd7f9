import { describe, expect, it } from 'vitest';
import { sampleReport, sampleStep } from '../../../test/data/sample-report.ts';
import { compare } from '../compare.ts';
import { reportPage } from './report-page.ts';

const report = sampleReport([sampleStep(1), sampleStep(16)]);
const tolerances = { all: 0.1, byMetric: new Map<string, number>() };

describe('reportPage', () => {
  it('contains results, charts over the load, distributions and a timeline of each step', async () => {
    const page = await reportPage(report, undefined);
    for (const title of ['Time to first token', 'Total throughput', 'Latency of whole requests'])
      expect(page).toContain(`<figcaption>${title}`);
    expect(page.match(/<details/g)).toHaveLength(2);
    expect(page).toContain('concurrency 16, prompt 16: p95 150 ms');
    expect(page).not.toMatch(/NaN|undefined|\[object/);
  });

  it('shows regressions, or that there are none', async () => {
    const now = sampleReport([{ ...sampleStep(1), tokensPerSecond: 500 }]);
    expect(await reportPage(now, compare(report, now, tolerances))).toMatch(/Regressions.*<td>tokens<\/td>/s);
    expect(await reportPage(report, compare(report, report, tolerances))).toContain('No regression in');
  });

  it('escapes names from the endpoint and the operator', async () => {
    const errors = [{ kind: '<b>500</b>', count: 1 }];
    const { conditions } = report;
    const odd = {
      ...sampleReport([{ ...sampleStep(), errors }]),
      conditions: { ...conditions, model: '"><script>alert(1)</script>' },
    };
    expect(await reportPage(odd, undefined)).not.toMatch(/<script|<b>/);
  });

  it('works if no request was completed', async () => {
    const nothing = {
      ...sampleStep(),
      requests: { done: 0, failed: 2, abandoned: 0, retries: 0, resent: 0 },
      requestsPerSecond: 0,
      tokensPerSecond: 0,
      ...{ ttftMs: null, latencyMs: null, itlMs: null, queueWaitMs: null, streamTokensPerSecond: null },
      timeline: [],
    };
    const page = await reportPage(sampleReport([nothing]), undefined);
    expect(page).toContain('no request completed');
    expect(page).not.toMatch(/NaN|Infinity/);
  });
});
