import { describe, expect, it } from 'vitest';
import { barChart } from './bar-chart.ts';

describe('barChart', () => {
  it('draws bars in proportion to the longest of their panel', () => {
    const bars = [
      { name: 'nginx', value: 200 },
      { name: 'llama-corral', value: 50 },
    ];
    const svg = barChart([{ title: 'requests/s', bars }], String);
    const widths = [...svg.matchAll(/<rect x="190" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths).toHaveLength(2);
    expect(widths[0]).toBe(4 * (widths[1] ?? 0));
    expect(svg).toContain('>requests/s</text>');
  });
});
