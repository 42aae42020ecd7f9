/**
 * `npm run batches -- SCENARIO [--lines N] [--kills N] [--seconds N]`: starts the product with a store, runs a batch and measures it
 * against goals. Exits with 1 if one is missed, with 2 if there is no such scenario.
 */
import { parseArgs } from 'node:util';
import { allMet, formatReport } from '../several-models/report.ts';
import { busySlots } from './busy-slots.ts';
import { interactive } from './interactive.ts';
import { kills } from './kills.ts';
import { memory } from './memory.ts';
import type { Scenario } from './scenario.ts';
import { sharedPrefix } from './shared-prefix.ts';

/** By the name that the command takes. */
const scenarios: Readonly<Record<string, Scenario>> = {
  kills,
  interactive,
  'busy-slots': busySlots,
  memory,
  'shared-prefix': sharedPrefix,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { lines: { type: 'string' }, kills: { type: 'string' }, seconds: { type: 'string' } },
});
const [name = ''] = positionals;
const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;

if (scenario === undefined) {
  const list = Object.entries(scenarios).map(([id, { claim }]) => `  ${id.padEnd(14)} ${claim}`);
  console.error(
    ['Usage: npm run batches -- SCENARIO [--lines N] [--kills N] [--seconds N]', ...list].join('\n'),
  );
  process.exitCode = 2;
} else {
  const report = await scenario.run({
    ...(values.lines !== undefined && { lines: Number(values.lines) }),
    ...(values.kills !== undefined && { kills: Number(values.kills) }),
    ...(values.seconds !== undefined && { seconds: Number(values.seconds) }),
    onProgress: (line) => console.error(line),
  });
  console.log(formatReport(report));
  process.exitCode = allMet(report) ? 0 : 1;
}
