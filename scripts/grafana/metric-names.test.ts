import { describe, expect, it } from 'vitest';
import { metricNames, namesOutside } from './metric-names.ts';

describe('metricNames', () => {
  it('finds the metrics in an expression, without labels, functions and keywords', () => {
    const expression =
      'histogram_quantile(0.95, sum by (le, key) (rate(a_seconds_bucket{x="up 1", y=~"b|c"}[5m]))) > 1e6 ' +
      'or (b:c_total unless on (instance) d offset 15m) * ignoring (le) group_left (z) count (llama:e)';
    expect(metricNames(expression)).toEqual(['a_seconds_bucket', 'b:c_total', 'd', 'llama:e']);
  });
});

describe('namesOutside', () => {
  it('allows only metrics of the catalogue, including series of histograms', () => {
    expect(namesOutside('corral_slots / corral_queue_wait_seconds_count')).toEqual([]);
    expect(namesOutside('corral_slot + corral_queue_wait_seconds + up', ['up'])).toEqual([
      'corral_slot',
      'corral_queue_wait_seconds',
    ]);
  });
});
