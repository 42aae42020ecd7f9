import { randomInt } from 'node:crypto';
import type { Pool } from 'undici';
import { BenchClient, type BenchRequest } from './bench-client.ts';
import { createRequestBuilder } from './bench-request.ts';
import type { Step } from './plan.ts';
import { estimateTokens, sendFirstRequest } from './probe-endpoint.ts';
import type { Progress } from './progress.ts';
import type { Prompt } from './prompts.ts';
import type { Conditions, Report, StepReport } from './report.ts';
import { runStep } from './run-step.ts';
import { syntheticPrompt, type TokenEstimate, wordsFor } from './synthetic-prompts.ts';
import type { Target } from './target.ts';

export interface BenchRun {
  readonly target: Target;
  readonly pool: Pool;
  readonly apiKey: string | undefined;
  readonly conditions: Conditions;
  readonly steps: readonly Step[];
  /** Asked in turn; null for made ones. */
  readonly prompts: readonly Prompt[] | null;
  /** Steps that were measured before. */
  readonly measured: readonly StepReport[];
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Hears the report so far after each whole step. */
  readonly onStep: (soFar: Report) => Promise<void>;
}

/** The first answer may have to wait for a model that loads. */
const FIRST_ANSWER_MS = 60_000;

/** Measures one step after the other, but for those that were measured before; until the signal. */
export async function runBench(bench: BenchRun): Promise<Report> {
  const { pool, conditions, steps, measured, signal, progress } = bench;
  const startedAt = new Date().toISOString();
  const asker = new BenchClient(pool, conditions.timeoutMs);
  const opener = new BenchClient(pool, Math.max(conditions.timeoutMs, FIRST_ANSWER_MS));
  const abandon = () => {
    asker.abandonAll();
    opener.abandonAll();
  };
  signal.addEventListener('abort', abandon, { once: true });
  const reports = new Map(measured.map((report) => [report.name, report]));
  const soFar = (): Report => ({
    what: 'corral bench',
    version: 1,
    startedAt,
    endedAt: new Date().toISOString(),
    conditions,
    isInterrupted: signal.aborted,
    steps: steps.flatMap(({ name }) => reports.get(name) ?? []),
  });
  const waiting = steps.filter(({ name }) => !reports.has(name));
  if (waiting.length === 0) return soFar();
  const questions = await openQuestions(bench, opener).catch((error) => {
    if (!signal.aborted) throw error;
  });
  if (!questions) return soFar();
  for (const [index, step] of waiting.entries()) {
    if (signal.aborted) break;
    const nextQuestion = questions(step);
    const onStart = progress.starter(step, index, waiting.length);
    const report = await runStep({ step, asker, nextQuestion, conditions, signal, onStart });
    progress.stop();
    if (report) reports.set(step.name, report);
    if (!signal.aborted) await bench.onStep(soFar());
  }
  signal.removeEventListener('abort', abandon);
  return soFar();
}

/** Asks the endpoint for the first time, and gives what makes the questions of a step. */
async function openQuestions(
  bench: BenchRun,
  asker: BenchClient,
): Promise<(step: Step) => () => BenchRequest> {
  const { target, conditions, prompts, apiKey } = bench;
  const toQuestion = createRequestBuilder(target, conditions, apiKey);
  const short = createRequestBuilder(target, { ...conditions, maxTokens: 1 }, apiKey);
  const ask = (prompt: Prompt) => sendFirstRequest(asker, target.url, short(prompt));
  if (prompts) {
    const inTurn = around(prompts);
    await ask(inTurn());
    return () => () => toQuestion(inTurn());
  }
  const salt = randomInt(2 ** 31);
  const made = maker(salt, await estimateTokens(ask, salt));
  return ({ promptTokens }) =>
    () =>
      toQuestion(made(promptTokens ?? 0));
}

/** Numbers go on over all steps, so that no step finds the prompts of another one cached. */
function maker(salt: number, ofWords: TokenEstimate): (tokens: number) => string {
  let number = 2;
  return (tokens) => syntheticPrompt(number++, wordsFor(tokens, ofWords), salt);
}

function around(prompts: readonly Prompt[]): () => Prompt {
  let next = 0;
  return () => prompts[next++ % prompts.length] ?? '';
}
