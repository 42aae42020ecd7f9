/**
 * `npm run fuzz [-- --seconds 60 --only http --seed 7]` looks for input that breaks a parser: fast-check changes known
 * inputs at random and makes those that fail small. They are kept in the corpus, which the tests try again. The target
 * `engine` is a bare llama-server: it finds request bodies that crash or hang it. `--replay FILE` tries one kept failure.
 * Exits with 1 when an input failed.
 */
import { parseArgs } from 'node:util';
import { readFailure, writeFailure } from './corpus.ts';
import { fuzzTarget } from './fuzz-target.ts';
import type { Target } from './target.ts';
import { foreignTargets, targets } from './targets.ts';

const SLOW_MS = 1000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    replay: { type: 'string' },
  },
});

// An unhandled rejection ends the run, as it would end the product.
if (values.replay) await replay(values.replay);
else for (const target of selectTargets(values.only)) await fuzz(target);

function selectTargets(name: string | undefined): readonly Target[] {
  const all = [...targets, ...foreignTargets];
  const found = all.filter((target) => name === undefined || target.name === name);
  if (found.length > 0) return found;
  throw new Error(`unknown target "${name}"; expected one of ${all.map((target) => target.name).join(', ')}`);
}

async function fuzz(target: Target): Promise<void> {
  const seed = Number(values.seed);
  const { executions, failures } = await fuzzTarget(target, {
    seed,
    forMs: Number(values.seconds) * 1000,
    slowMs: SLOW_MS,
  });
  console.log(
    `${target.name.padEnd(12)} ${executions} executions, ${failures.length} failures (seed ${seed})`,
  );
  for (const { inputs, error } of failures) {
    console.log(`  ${error instanceof Error ? error.stack : error}`);
    console.log(`  kept as ${writeFailure(target.name, inputs, error)}`);
  }
  if (failures.length > 0) process.exitCode = 1;
}

async function replay(file: string): Promise<void> {
  const { target: name, inputs } = readFailure(file);
  const [target] = selectTargets(name);
  await using subject = await target?.open();
  await Promise.all(inputs.map((input) => subject?.try(input)));
  await subject?.check?.();
  console.log('no failure');
}
