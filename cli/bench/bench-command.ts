import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Command } from 'commander';
import { readApiKey } from '../api-key.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { addBenchOptions, type BenchOptions, getConditions, getLoads } from './bench-options.ts';
import { type Comparison, compare, regressions } from './compare.ts';
import { reportPage } from './html/report-page.ts';
import { onlyModel } from './listed-models.ts';
import { showProgress } from './progress.ts';
import { type Prompt, parsePrompts, promptsDigest } from './prompts.ts';
import { planSteps, type Report, readReport, type Step, stepsToKeep, writeReport } from './report.ts';
import { runBench } from './run-bench.ts';
import { comparisonTable, errorTable, failedTooOften, reportNotes, reportTable } from './table.ts';
import { createPool, readTarget } from './target.ts';

const notes = `
Examples:
  corral bench http://127.0.0.1:8000 --key-file key.txt
  corral bench https://host/v1 --concurrency 1,8,64 --prompt-tokens 16,2048 --duration 30s --html report.html
  corral bench http://127.0.0.1:8000 --rate 10,50 --max-tokens 32 --body '{"temperature":0,"ignore_eos":true}'
  corral bench http://127.0.0.1:8000 --model qwen3-8b                     if the endpoint has several models
  corral bench http://127.0.0.1:8000 --save before.json
  corral bench http://127.0.0.1:8000 --compare before.json --tolerance 10%,ttft.p99=30%
  corral bench http://127.0.0.1:8000 --duration 1h --resume long.json      run it again after Ctrl-C to continue

--concurrency is a closed loop: this many clients, each sending its next request when the last one is complete.
--rate is an open loop: requests are sent on schedule even if the endpoint does not keep up, and latency counts from the
scheduled time. TTFT is the time to the first token, ITL the time between two tokens. TOK/S is the throughput of all
streams together, TOK/S EACH that of one stream. The API key is read from --key-file, else from CORRAL_API_KEY or
OPENAI_API_KEY. More: docs/bench.md

Exit status: 0 success, 1 a regression, no completed request, or more than 10% of a step's requests failed, 2 usage
error, 130 interrupted.`;

/** `corral bench URL`: measures an OpenAI-compatible endpoint. */
export function benchCommand(): Command {
  const command = new Command('bench')
    .description('benchmark any OpenAI-compatible endpoint: latency, throughput, errors')
    .argument('<url>', 'http://…, https://… or unix:/path.sock; /v1 is optional')
    .addHelpText('after', notes)
    .showHelpAfterError('(see --help)');
  return addBenchOptions(command).action(bench);
}

async function bench(url: string, options: BenchOptions): Promise<void> {
  const target = readTarget(url);
  const apiKey = await readApiKey(options.keyFile, process.env);
  const promptsFile =
    options.prompts === undefined ? undefined : await readPrompts(options.prompts, options.path);
  const steps = planSteps(getLoads(options), promptsFile ? null : options.promptTokens);
  const baseline = options.compare === undefined ? undefined : await readBaseline(options.compare, steps);
  const earlier = options.resume === undefined ? undefined : await readReport(options.resume);
  const pool = createPool(target);
  try {
    const model = options.model ?? (await onlyModel(pool, target, apiKey));
    const conditions = getConditions(options, { url: target.url, model, prompts: promptsFile?.name ?? null });
    const measured = earlier ? stepsToKeep(earlier, conditions, steps) : [];
    if (measured.length > 0)
      writeStderr(`Resuming: ${measured.length} of ${steps.length} steps are already measured.`);
    const report = await stopOnInterrupt((signal) =>
      runBench({
        ...{ target, pool, apiKey, conditions, steps, measured, signal },
        prompts: promptsFile?.prompts ?? null,
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
  if (!baseline) throw new UsageError(`--compare ${file}: no such file; create one with --save`);
  const names = new Set(baseline.steps.map(({ name }) => name));
  if (steps.some(({ name }) => names.has(name))) return baseline;
  throw new UsageError(`--compare ${file} has none of these steps; it has ${[...names].join('; ')}`);
}

/** The first Ctrl-C ends the measurement, the second one the program. */
async function stopOnInterrupt(work: (signal: AbortSignal) => Promise<Report>): Promise<Report> {
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
  if (steps.some(failedTooOften)) return 1;
  return comparison && regressions(comparison).length > 0 ? 1 : 0;
}

/** Writes results to stdout and to the requested files, messages to stderr. */
async function printReport(
  report: Report,
  comparison: Comparison | undefined,
  { json, html, save }: Pick<BenchOptions, 'json' | 'html' | 'save'>,
): Promise<void> {
  if (json) writeJson(report);
  else if (report.steps.length > 0)
    for (const table of [reportTable(report), errorTable(report)]) if (table !== '') writeStdout(table);
  for (const note of reportNotes(report)) writeStderr(note);
  if (comparison) printComparison(comparison, json);
  if (save !== undefined) await writeReport(save, report);
  if (html !== undefined) await writeFile(html, await reportPage(report, comparison));
}

function printComparison(comparison: Comparison, json: true | undefined): void {
  const { withoutBaseline, differingConditions } = comparison;
  if (differingConditions.length > 0)
    writeStderr(`The baseline was measured with different settings: ${differingConditions.join(', ')}.`);
  if (withoutBaseline.length > 0) writeStderr(`Not in the baseline: ${withoutBaseline.join('; ')}.`);
  (json ? writeStderr : writeStdout)(comparisonTable(comparison));
}
