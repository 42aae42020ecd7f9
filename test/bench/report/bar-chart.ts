export interface Bars {
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

const WIDTH = 820;
const LEFT = 190;
const BAR = 16;
const ROW = 21;
const TITLE = 34;
const INNER = WIDTH - LEFT - 90;

/** Panels of horizontal bars, one below the other, as an SVG that stands alone. Ours stand out. */
export function barChart(panels: readonly Bars[], show: (value: number) => string): string {
  let top = 0;
  const drawn = panels.map((panel) => {
    const from = top;
    top += TITLE + panel.bars.length * ROW + 8;
    return drawPanel(panel, from, show);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
${drawn.join('')}</svg>
`;
}

function drawPanel({ title, bars }: Bars, top: number, show: (value: number) => string): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ name, value }, index) => {
    const y = top + TITLE + index * ROW;
    const width = ((value / most) * INNER).toFixed(1);
    const colour = name.startsWith('llama-corral') ? '#1f6fb2' : '#b9c2cc';
    return `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${name}</text><rect x="${LEFT}" y="${y}" width="${width}" height="${BAR}" fill="${colour}"/><text x="${LEFT + Number(width) + 6}" y="${y + 12}" fill="#555">${show(value)}</text>
`;
  });
  return `<text x="10" y="${top + 22}" font-size="13" font-weight="bold">${title}</text>
${rows.join('')}`;
}
