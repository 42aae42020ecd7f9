export interface Series {
  readonly name: string;
  readonly colour: string;
  /** One value for each moment. */
  readonly values: readonly number[];
}

export interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
}

const WIDTH = 860;
const PANEL_HEIGHT = 150;
const LEFT = 60;
const TOP = 34;
const INNER_WIDTH = WIDTH - LEFT - 20;
const INNER_HEIGHT = PANEL_HEIGHT - 50;

/** Panels over one common time axis, as an SVG that stands alone. `seconds` is the time of each moment. */
export function chart(title: string, seconds: readonly number[], panels: readonly Panel[]): string {
  const height = TOP + panels.length * PANEL_HEIGHT + 20;
  const end = seconds.at(-1) ?? 1;
  const body = panels.map((panel, row) => drawPanel(panel, row, seconds, end)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="${LEFT}" y="20" font-size="14" font-weight="bold">${title}</text>
${body}<text x="${LEFT + INNER_WIDTH}" y="${height - 8}" text-anchor="end" fill="#555">seconds</text>
</svg>
`;
}

function drawPanel({ title, series }: Panel, row: number, seconds: readonly number[], end: number): string {
  const top = TOP + row * PANEL_HEIGHT + 18;
  const most = Math.max(1, ...series.flatMap(({ values }) => values));
  const x = (second: number) => (LEFT + (second / end) * INNER_WIDTH).toFixed(1);
  const y = (value: number) => (top + INNER_HEIGHT - (value / most) * INNER_HEIGHT).toFixed(1);
  const lines = series.map(
    ({ values, colour }) =>
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${values
        .map((value, moment) => `${x(seconds[moment] ?? 0)},${y(value)}`)
        .join(' ')}"/>`,
  );
  const names = series.map(
    ({ name, colour }, index) =>
      `<text x="${LEFT + 180 + index * 150}" y="${top - 6}" fill="${colour}">${name}</text>`,
  );
  const ticks = Array.from({ length: Math.floor(end / 5) + 1 }, (_, n) => n * 5).map(
    (second) =>
      `<text x="${x(second)}" y="${top + INNER_HEIGHT + 14}" text-anchor="middle" fill="#555">${second}</text>`,
  );
  return `<text x="${LEFT}" y="${top - 6}" font-weight="bold">${title}</text>${names.join('')}
<rect x="${LEFT}" y="${top}" width="${INNER_WIDTH}" height="${INNER_HEIGHT}" fill="none" stroke="#ccc"/>
<text x="${LEFT - 6}" y="${top + 9}" text-anchor="end" fill="#555">${Math.round(most)}</text>
<text x="${LEFT - 6}" y="${top + INNER_HEIGHT}" text-anchor="end" fill="#555">0</text>
${lines.join('\n')}
${ticks.join('')}
`;
}
