import { html } from 'hono/html';
import type { Chart, Point, Series } from './report-charts.ts';

const WIDTH = 560;
const HEIGHT = 280;
const LEFT = 64;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 44;
const COLOURS = 8;

/** Draws a chart as SVG with title and legend. */
export function drawChart(chart: Chart) {
  const { title, series, hasMarks, x, y } = chart;
  return html`<figure>
<figcaption>${title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${y.scale.ticks.map((tick) => horizontal(down(chart, tick), y.show(tick)))}
${x.scale.ticks.map((tick) => html`<text class="tick" x="${along(chart, tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${x.show(tick)}</text>`)}
<text class="label" x="${WIDTH - RIGHT}" y="${HEIGHT - 6}" text-anchor="end">${x.label}</text>
<text class="label" transform="translate(14 ${(HEIGHT - BOTTOM + TOP) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>
${series.map(({ points }, index) => drawLine(chart, points, index))}
${series.map(({ points }, index) => points.map((point) => drawPoint(chart, point, index, hasMarks)))}
</svg>
${legend(series)}
</figure>`;
}

const horizontal = (y: string, text: string) =>
  html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text class="tick" x="${LEFT - 8}" y="${y}" dy="0.32em" text-anchor="end">${text}</text>`;

function drawLine(chart: Chart, points: readonly Point[], index: number) {
  const line = points.map(({ x, y }) => `${along(chart, x)},${down(chart, y)}`).join(' ');
  return html`<polyline class="line ${colourOf(index)}" points="${line}"/>`;
}

/** Large enough to hover over; visible only as single marks. */
const drawPoint = (chart: Chart, { x, y, tooltip }: Point, index: number, isMark: boolean) =>
  html`<circle class="${isMark ? 'mark' : 'spot'} ${colourOf(index)}" cx="${along(chart, x)}" cy="${down(chart, y)}" r="${isMark ? 3.5 : 5}"><title>${tooltip}</title></circle>`;

const legend = (series: readonly Series[]) =>
  html`<ul class="legend">${series.map(({ name }, index) => html`<li><span class="key ${colourOf(index)}"></span>${name}</li>`)}</ul>`;

/** Colours repeat as dashed lines. */
const colourOf = (index: number) => `c${index % COLOURS}${index >= COLOURS ? ' again' : ''}`;

const along = ({ x }: Chart, value: number) =>
  (LEFT + x.scale.place(value) * (WIDTH - LEFT - RIGHT)).toFixed(1);

const down = ({ y }: Chart, value: number) =>
  (HEIGHT - BOTTOM - y.scale.place(value) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
