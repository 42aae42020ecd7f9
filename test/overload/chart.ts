export interface Panel {
  readonly title: string;
  readonly colour: string;
  /** A value for each point in time. */
  readonly values: readonly number[];
}

const WIDTH = 860;
const PANEL_HEIGHT = 150;
const LEFT = 60;
const TOP = 34;
const INNER_WIDTH = WIDTH - LEFT - 20;
const INNER_HEIGHT = PANEL_HEIGHT - 50;

/** Draws panels with a common time axis as an SVG. `seconds` are the points in time. */
export function chart(title: string, seconds: readonly number[], panels: readonly Panel[]): string {
  const height = TOP + panels.length * PANEL_HEIGHT + 20;
  const body = panels.map((panel, row) => drawPanel(panel, row, seconds)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="${LEFT}" y="20" font-size="14" font-weight="bold">${title}</text>
${body}<text x="${LEFT + INNER_WIDTH}" y="${height - 8}" text-anchor="end" fill="#555">seconds</text>
</svg>
`;
}

function drawPanel({ title, colour, values }: Panel, row: number, seconds: readonly number[]): string {
  const top = TOP + row * PANEL_HEIGHT + 18;
  const end = seconds.at(-1) ?? 1;
  const max = Math.max(1, ...values);
  const x = (second: number) => (LEFT + (second / end) * INNER_WIDTH).toFixed(1);
  const y = (value: number) => (top + INNER_HEIGHT - (value / max) * INNER_HEIGHT).toFixed(1);
  const points = values.map((value, n) => `${x(seconds[n] ?? 0)},${y(value)}`);
  const ticks = Array.from({ length: Math.floor(end / 5) + 1 }, (_, n) => n * 5).map(
    (second) =>
      `<text x="${x(second)}" y="${top + INNER_HEIGHT + 14}" text-anchor="middle" fill="#555">${second}</text>`,
  );
  return `<text x="${LEFT}" y="${top - 6}" font-weight="bold">${title}</text>
<rect x="${LEFT}" y="${top}" width="${INNER_WIDTH}" height="${INNER_HEIGHT}" fill="none" stroke="#ccc"/>
<text x="${LEFT - 6}" y="${top + 9}" text-anchor="end" fill="#555">${Math.round(max)}</text>
<text x="${LEFT - 6}" y="${top + INNER_HEIGHT}" text-anchor="end" fill="#555">0</text>
<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>
${ticks.join('')}
`;
}
