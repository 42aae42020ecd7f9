import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { namesOutside } from '../../scripts/grafana/metric-names.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { promtool } from '../../test/services/service-catalogue.ts';
import { requireTestService } from '../../test/services/test-service.ts';
import { alertCases, type Situation } from './alert-cases.ts';

const program = await requireTestService(promtool);
const file = join(import.meta.dirname, 'alerts.yml');
const text = readFileSync(file, 'utf8');

function run(...words: string[]) {
  const { command = '', args = [] } = program ?? {};
  return execa(command, [...args, ...words], { all: true, reject: false });
}

/** What promtool checks: whether this alert fires at the given time. */
const expectation = (name: string, { series, at }: Situation, alert: string | undefined) => ({
  name,
  interval: '1m',
  input_series: Object.entries(series).map(([one, values]) => ({ series: one, values })),
  promql_expr_test: [
    {
      expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: at,
      exp_samples: alert === undefined ? [] : [{ labels: `{alertname="${alert}"}`, value: 1 }],
    },
  ],
});

describe('the alerts', () => {
  it('all have cases in which they fire and cases in which they stay silent', () => {
    const named = [...text.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    expect(Object.keys(alertCases)).toEqual(named);
    for (const { fires, silent } of Object.values(alertCases)) {
      expect(fires.length).toBeGreaterThan(0);
      expect(silent.length).toBeGreaterThan(0);
    }
  });

  it('use only metrics that exist', () => {
    const rules = text.matchAll(/expr: (?:>-\n((?: {10,}.*\n)+)|(.*)\n)/g);
    const expressions = [...rules].map(([, folded, line]) => folded ?? line ?? '');
    expect(expressions).toHaveLength(Object.keys(alertCases).length);
    expect(expressions.flatMap((expression) => namesOutside(expression, ['up']))).toEqual([]);
  });

  it.skipIf(!program)(
    'are rules as promtool wants them, and so is the configuration beside them',
    async () => {
      const rules = await run('check', 'rules', '--lint=all', '--lint-fatal', file);
      expect(rules.all).toContain(`SUCCESS: ${Object.keys(alertCases).length} rules found`);
      expect(rules.exitCode).toBe(0);
      const config = await run(
        'check',
        'config',
        '--syntax-only',
        join(import.meta.dirname, 'prometheus.yml'),
      );
      expect(config.exitCode, config.all).toBe(0);
    },
  );

  it.skipIf(!program)(
    'fire when they should, and no other does',
    async () => {
      await using folder = await temporaryFolder();
      const tests = Object.entries(alertCases).flatMap(([alert, { fires, silent }]) => [
        ...fires.map((situation) => expectation(`${alert}: ${situation.of}`, situation, alert)),
        ...silent.map((situation) => expectation(`not ${alert}: ${situation.of}`, situation, undefined)),
      ]);
      const plan = { rule_files: [file], evaluation_interval: '1m', tests };
      writeFileSync(folder.file('cases.json'), JSON.stringify(plan));
      const result = await run('test', 'rules', folder.file('cases.json'));
      expect(result.exitCode, result.all).toBe(0);
      expect(result.all).toContain('SUCCESS');
    },
    60_000,
  );
});
