import { comparedLoads, type LoadName } from '../loads.ts';
import { median } from '../rounds.ts';
import type { BenchResults } from './results.ts';
import { type Column, cpuPerEvent, formatNumber, latency, requestsPerSecond } from './tables.ts';

const panels: readonly { readonly load: LoadName; readonly label: string; readonly column: Column }[] = [
  { load: 'plain-1k', label: 'requests/s', column: requestsPerSecond },
  { load: 'plain-32k', label: 'requests/s', column: requestsPerSecond },
  { load: 'one-connection', label: 'latency p50, ms', column: latency('p50') },
  { load: 'streams-512', label: 'CPU µs per event', column: cpuPerEvent },
];

/** Draws the most important values as an SVG; undefined if none of them was measured. */
export function resultsChart({ loads }: BenchResults): string | undefined {
  const drawn = panels.flatMap(({ load, label, column }): Panel[] => {
    const bars = Object.entries(loads[load]?.results ?? {})
      .map(([name, reports]) => ({ name, value: median(reports.map(column.value)) }))
      .filter(({ value }) => Number.isFinite(value));
    return bars.length === 0 ? [] : [{ title: `${comparedLoads[load].title}: ${label}`, bars }];
  });
  return drawn.length === 0 ? undefined : barChart(drawn);
}

interface Panel {
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

const WIDTH = 820;
const LEFT = 190;
const BAR = 16;
const ROW = 21;
const TITLE = 34;
const INNER = WIDTH - LEFT - 90;

/** Panels of horizontal bars, one below the other. The bars of llama-corral have a colour of their own. */
export function barChart(all: readonly Panel[]): string {
  let top = 0;
  const drawn = all.map((panel) => {
    const from = top;
    top += TITLE + panel.bars.length * ROW + 8;
    return drawPanel(panel, from);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
${drawn.join('')}</svg>
`;
}

function drawPanel({ title, bars }: Panel, top: number): string {
  const max = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ name, value }, index) => {
    const y = top + TITLE + index * ROW;
    const width = ((value / max) * INNER).toFixed(1);
    const colour = name.startsWith('llama-corral') ? '#1f6fb2' : '#b9c2cc';
    return `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${name}</text><rect x="${LEFT}" y="${y}" width="${width}" height="${BAR}" fill="${colour}"/><text x="${LEFT + Number(width) + 6}" y="${y + 12}" fill="#555">${formatNumber(value)}</text>
`;
  });
  return `<text x="10" y="${top + 22}" font-size="13" font-weight="bold">${title}</text>
${rows.join('')}`;
}
