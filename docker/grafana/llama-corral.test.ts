import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dashboard, Panel } from '@grafana/schema';
import { describe, expect, it } from 'vitest';
import { dashboardFile } from '../../scripts/grafana/dashboard.ts';
import { metricNames, namesOutside } from '../../scripts/grafana/metric-names.ts';

const text = readFileSync(join(import.meta.dirname, 'llama-corral.json'), 'utf8');
const dashboard = JSON.parse(text) as Dashboard;
const all = (dashboard.panels ?? []) as Panel[];
const panels = all.filter(({ type }) => type !== 'row');

/** Its type leaves them open: each kind of data source has other fields. */
const queriesOf = ({ targets = [] }: Panel) =>
  targets as unknown as readonly { expr: string; legendFormat: string; refId: string }[];

describe('the Grafana dashboard', () => {
  it('is up to date with scripts/grafana (run `npm run docs`)', () => {
    expect(text).toBe(dashboardFile());
  });

  it('queries only metrics that exist', () => {
    const expressions = panels.flatMap(queriesOf).map(({ expr }) => expr);
    const unknown = expressions.flatMap((expr) => namesOutside(expr));
    // Metrics of llama-server; a test with a real Prometheus checks that they exist.
    expect(unknown.filter((name) => !name.startsWith('llamacpp:'))).toEqual([]);
    expect(new Set(expressions.flatMap(metricNames)).size).toBeGreaterThan(60);
  });

  it('gives each panel a description, a unit and legends', () => {
    for (const panel of panels) {
      const { title, description, fieldConfig } = panel;
      expect(title, JSON.stringify(panel.gridPos)).toMatch(/\w/);
      expect(description, title).toMatch(/\w.*\.$/);
      expect(fieldConfig?.defaults.unit, title).toMatch(/\w/);
      expect(queriesOf(panel).length, title).toBeGreaterThan(0);
      for (const { legendFormat } of queriesOf(panel)) expect(legendFormat, title).toMatch(/\w/);
    }
  });

  it('uses in its legends only labels that its queries keep', () => {
    for (const { expr, legendFormat } of panels.flatMap(queriesOf)) {
      const kept = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(', ');
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      if (kept) expect(kept, expr).toEqual(expect.arrayContaining(named));
      if (/^(?:sum|max|histogram_quantile|time)\b/.test(expr) && !kept) expect(named, expr).toEqual([]);
    }
  });

  it('applies the selected data source and machine everywhere', () => {
    expect(dashboard.templating?.list?.map(({ name }) => name)).toEqual(['datasource', 'instance']);
    for (const panel of panels) {
      expect(panel.datasource?.uid).toBe('$' + '{datasource}');
      for (const { expr } of queriesOf(panel)) {
        expect(expr.match(/\binstance=~"\$instance"/g)?.length, expr).toBe(expr.match(/\{/g)?.length);
      }
    }
  });

  it('has no overlapping panels', () => {
    const taken = new Map<string, string | undefined>();
    for (const { gridPos, title } of all) {
      const { x, y, w, h } = gridPos ?? { x: 0, y: 0, w: 0, h: 0 };
      expect([x >= 0, x + w <= 24, w > 0, h > 0], title).toEqual([true, true, true, true]);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          expect(taken.get(`${column} ${row}`), title).toBeUndefined();
          taken.set(`${column} ${row}`, title);
        }
      }
    }
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });
});
