/**
 * `npm run responses -- SCENARIO [--responses N] [--kills N]`: starts the product with a store, and measures stored responses against
 * goals. Exits with 1 if one is missed, with 2 if there is no such scenario.
 */
import { parseArgs } from 'node:util';
import { allMet, formatReport } from '../several-models/report.ts';
import { kills } from './kills.ts';
import type { Scenario } from './scenario.ts';
import { turns } from './turns.ts';

/** By the name that the command takes. */
const scenarios: Readonly<Record<string, Scenario>> = { kills, turns };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { responses: { type: 'string' }, kills: { type: 'string' } },
});
const [name = ''] = positionals;
const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;

if (scenario === undefined) {
  const list = Object.entries(scenarios).map(([id, { claim }]) => `  ${id.padEnd(8)} ${claim}`);
  console.error(['Usage: npm run responses -- SCENARIO [--responses N] [--kills N]', ...list].join('\n'));
  process.exitCode = 2;
} else {
  const report = await scenario.run({
    ...(values.responses !== undefined && { responses: Number(values.responses) }),
    ...(values.kills !== undefined && { kills: Number(values.kills) }),
    onProgress: (line) => console.error(line),
  });
  console.log(formatReport(report));
  process.exitCode = allMet(report) ? 0 : 1;
}
