import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Command } from 'commander';
import { writeStderr } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { readApiKey } from './api-key.ts';
import { addBenchOptions, type BenchOptions, getConditions, getLoads } from './bench-options.ts';
import { type Comparison, compare, regressions } from './compare.ts';
import { planSteps, type Step } from './plan.ts';
import { printReport } from './print-report.ts';
import { firstModel } from './probe-endpoint.ts';
import { showProgress } from './progress.ts';
import { type Prompt, parsePrompts, promptsDigest } from './prompts.ts';
import type { Report } from './report.ts';
import { readReport, stepsToKeep, writeReport } from './report-file.ts';
import { runBench } from './run-bench.ts';
import { createPool, readTarget } from './target.ts';

const notes = `
Examples:
  corral bench http://127.0.0.1:8000 --key-file key.txt
  corral bench https://host/v1 --concurrency 1,8,64 --prompt-tokens 16,2048 --duration 30s --html report.html
  corral bench http://127.0.0.1:8000 --rate 10,50 --max-tokens 32 --body '{"temperature":0,"ignore_eos":true}'
  corral bench http://127.0.0.1:8000 --save before.json
  corral bench http://127.0.0.1:8000 --compare before.json --tolerance 10%,ttft.p99=30%
  corral bench http://127.0.0.1:8000 --duration 1h --resume long.json      and again after Ctrl-C: it goes on

--concurrency is a closed loop: so many clients, each of which asks again when it has its answer. --rate is an open one:
requests come at their times, whether the endpoint keeps up or not, and latency counts from when they were due.
TTFT is the time to the first token, ITL the gap between two. TOK/S is what all streams get, TOK/S EACH what one gets.
The key comes from --key-file, else from CORRAL_API_KEY or OPENAI_API_KEY. docs/bench.md tells more.

The exit status is 0 for done, 1 for a regression or no answer at all, 2 for wrong use, 130 after Ctrl-C.`;

/** `corral bench URL`: how fast an OpenAI-compatible endpoint is. */
export function benchCommand(): Command {
  const command = new Command('bench')
    .description('measure any OpenAI-compatible endpoint: first tokens, gaps, throughput, errors')
    .argument('<url>', 'http://…, https://… or unix:/path.sock; /v1 may be left out')
    .addHelpText('after', notes)
    .showHelpAfterError('(--help tells more)');
  return addBenchOptions(command).action(bench);
}

async function bench(url: string, options: BenchOptions): Promise<void> {
  const target = readTarget(url);
  const apiKey = await readApiKey(options.keyFile, process.env);
  const asked = options.prompts === undefined ? undefined : await readPrompts(options.prompts, options.path);
  const steps = planSteps(getLoads(options), asked ? null : options.promptTokens);
  const baseline = options.compare === undefined ? undefined : await readBaseline(options.compare, steps);
  const earlier = options.resume === undefined ? undefined : await readReport(options.resume);
  const pool = createPool(target);
  try {
    const model = options.model ?? (await firstModel(pool, target, apiKey));
    const conditions = getConditions(options, { url: target.url, model, prompts: asked?.name ?? null });
    const measured = earlier ? stepsToKeep(earlier, conditions, steps) : [];
    if (measured.length > 0) writeStderr(`${measured.length} of ${steps.length} steps were measured before.`);
    const report = await untilInterrupted((signal) =>
      runBench({
        ...{ target, pool, apiKey, conditions, steps, measured, signal },
        prompts: asked?.prompts ?? null,
        progress: showProgress(process.stderr, conditions.requests),
        onStep: async (soFar) => {
          if (options.resume !== undefined) await writeReport(options.resume, soFar);
        },
      }),
    );
    const comparison = baseline && compare(baseline, report, options.tolerance);
    await printReport(report, comparison, options);
    process.exitCode = exitCodeOf(report, comparison);
  } finally {
    await pool.destroy();
  }
}

async function readPrompts(
  file: string,
  path: BenchOptions['path'],
): Promise<{ readonly prompts: Prompt[]; readonly name: string }> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--prompts ${file} cannot be read (${error.code})`);
  });
  return { prompts: parsePrompts(text, path), name: `${basename(file)} ${promptsDigest(text)}` };
}

async function readBaseline(file: string, steps: readonly Step[]): Promise<Report> {
  const baseline = await readReport(file);
  if (!baseline) throw new UsageError(`--compare ${file}: there is no such file; --save makes one`);
  const names = new Set(baseline.steps.map(({ name }) => name));
  if (steps.some(({ name }) => names.has(name))) return baseline;
  throw new UsageError(`--compare ${file} has none of these steps, but ${[...names].join('; ')}`);
}

/** The first Ctrl-C ends the measuring, the second one the program. */
async function untilInterrupted(work: (signal: AbortSignal) => Promise<Report>): Promise<Report> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupt);
  try {
    return await work(stop.signal);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM']) process.removeListener(signal, interrupt);
  }
}

function exitCodeOf({ isInterrupted, steps }: Report, comparison: Comparison | undefined): number {
  if (isInterrupted) return 130;
  if (steps.every(({ requests }) => requests.done === 0)) return 1;
  return comparison && regressions(comparison).length > 0 ? 1 : 0;
}
