import type { LoadReport } from '../generate-load.ts';
import { comparedLoads, type LoadName } from '../loads.ts';
import { median } from '../median.ts';
import { type Bars, barChart } from './bar-chart.ts';
import type { Figures } from './figures.ts';
import { cpuPerEvent, requestsPerSecond } from './load-columns.ts';
import { show } from './show-table.ts';

const drawn: readonly {
  readonly load: LoadName;
  readonly what: string;
  readonly of: (one: LoadReport) => number;
}[] = [
  { load: 'plain-1k', what: 'requests/s', of: requestsPerSecond.of },
  { load: 'plain-32k', what: 'requests/s', of: requestsPerSecond.of },
  { load: 'one-connection', what: 'latency p50, ms', of: ({ latencyMs }) => latencyMs?.p50 ?? Number.NaN },
  { load: 'streams-512', what: 'CPU µs for each event', of: cpuPerEvent.of },
];

/** What the tables say first, to be seen at a glance; undefined where nothing of it was measured. */
export function charts(figures: Figures): string | undefined {
  const panels = drawn.flatMap(({ load, what, of }): Bars[] => {
    const measured = Object.entries(figures.loads[load]?.what ?? {});
    const bars = measured
      .map(([name, reports]) => ({ name, value: median(reports.map(of)) }))
      .filter(({ value }) => Number.isFinite(value));
    return bars.length === 0 ? [] : [{ title: `${comparedLoads[load].title}: ${what}`, bars }];
  });
  return panels.length === 0 ? undefined : barChart(panels, show);
}
