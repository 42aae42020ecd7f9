import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { DAY } from '../../settings/durations.ts';
import { curveShares, type Summary } from './report.ts';

/**
 * Collects values and tells how they are spread. It is Node's own HDR histogram: each figure is right to a thousandth,
 * and an hour's millions of gaps take no more room than a second's.
 */
export class LatencyHistogram {
  // Thousandths: of milliseconds, microseconds; up to a day.
  readonly #thousandths: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: 1000 * DAY,
    figures: 3,
  });

  add(value: number): void {
    this.#thousandths.record(Math.min(Math.max(1, Math.round(value * 1000)), 1000 * DAY));
  }

  /** Null where nothing was added. */
  summary(): Summary | null {
    const { count, mean, max } = this.#thousandths;
    if (count === 0) return null;
    // Node answers the upper end of the bucket, which may lie above all that was added.
    const at = (share: number) => Math.min(this.#thousandths.percentile(share || 1e-9), max) / 1000;
    return {
      count,
      mean: mean / 1000,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      max: max / 1000,
      curve: curveShares.map(at),
    };
  }
}
