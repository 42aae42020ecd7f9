/**
 * `npm run fuzz [-- --seconds 60 --only http --seed 7]` looks for input that breaks what reads it: known input is changed
 * at random, and what reaches new code is changed further. What breaks something is kept in the corpus, which the tests
 * replay. The target `engine` is a bare llama-server, and what is found are bodies that end or hang it. `--replay FILE` tries one of these alone. Ends with 1 where anything was found.
 */
import { parseArgs } from 'node:util';
import { readFoundInput, writeCorpus, writeFound } from './corpus.ts';
import { type FuzzReport, fuzzTarget } from './fuzz-target.ts';
import type { Target } from './target.ts';
import { foreignTargets, targets } from './targets.ts';

/** Inputs that are kept of a target: the tests replay them all. */
const MOST_KEPT = 60;
const SLOW = 1000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    replay: { type: 'string' },
  },
});

// What nobody waited for and went wrong ends the run, as it would end the product.
if (values.replay) await replay(values.replay);
else
  for (const target of chosen(values.only)) await fuzz(target, Number(values.seed), Number(values.seconds));

function chosen(name: string | undefined): readonly Target[] {
  const all = [...targets, ...foreignTargets];
  const found = all.filter((target) => name === undefined || target.name === name);
  if (found.length > 0) return found;
  throw new Error(`there is no target ${name}: name one of ${all.map((target) => target.name).join(', ')}`);
}

async function fuzz(target: Target, seed: number, seconds: number): Promise<void> {
  const report = await fuzzTarget(target, { seed, forMs: seconds * 1000, slowMs: SLOW });
  if (targets.includes(target)) writeCorpus(target.name, report.reached, MOST_KEPT);
  tell(report, seed);
  if (report.failures.length > 0) process.exitCode = 1;
}

function tell({ target, executions, blocks, reached, failures }: FuzzReport, seed: number): void {
  console.log(
    `${target.padEnd(12)} ${executions} executions, ${blocks} blocks, ${reached.length} inputs, ${failures.length} failures (seed ${seed})`,
  );
  for (const { input, error } of failures) {
    console.log(`  ${error instanceof Error ? error.stack : error}`);
    console.log(`  kept as ${writeFound(target, seed, input, error)}`);
  }
}

async function replay(file: string): Promise<void> {
  const found = readFoundInput(file);
  const [target] = chosen(found.target);
  await using subject = await target?.open();
  await subject?.try(found.input);
  await subject?.check?.();
  console.log('it holds');
}
