/**
 * `npm run several-models -- SCENARIO [--requests N] [--seconds N]`: starts the product with several models and measures it
 * against goals. Exits with 1 if one is missed, with 2 if there is no such scenario.
 */
import { parseArgs } from 'node:util';
import { canary } from './canary.ts';
import { kinds } from './kinds.ts';
import { replicas } from './replicas.ts';
import { allMet, formatReport } from './report.ts';
import type { Scenario } from './scenario.ts';
import { swaps } from './swaps.ts';

/** By the name that the command takes. */
const scenarios: Readonly<Record<string, Scenario>> = { canary, kinds, replicas, swaps };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { requests: { type: 'string' }, seconds: { type: 'string' } },
});
const [name = ''] = positionals;
const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;

if (scenario === undefined) {
  const list = Object.entries(scenarios).map(([id, { claim }]) => `  ${id.padEnd(12)} ${claim}`);
  console.error(
    ['Usage: npm run several-models -- SCENARIO [--requests N] [--seconds N]', ...list].join('\n'),
  );
  process.exitCode = 2;
} else {
  const report = await scenario.run({
    ...(values.requests !== undefined && { requests: Number(values.requests) }),
    ...(values.seconds !== undefined && { seconds: Number(values.seconds) }),
    onProgress: (line) => console.error(line),
  });
  console.log(formatReport(report));
  process.exitCode = allMet(report) ? 0 : 1;
}
