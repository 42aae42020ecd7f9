import { randomInt } from 'node:crypto';
import type { Pool } from 'undici';
import { BenchClient, type BenchRequest } from './bench-client.ts';
import { chatModelNames, keyAdvice, listModels } from './listed-models.ts';
import type { Progress } from './progress.ts';
import {
  createRequestBuilder,
  fitTokens,
  type Prompt,
  syntheticPrompt,
  type TokenEstimate,
  wordListLength,
  wordsFor,
} from './prompts.ts';
import type { Conditions, Report, Step, StepReport } from './report.ts';
import { runStep } from './run-step.ts';
import type { Target } from './target.ts';

interface BenchRun {
  readonly target: Target;
  readonly pool: Pool;
  readonly apiKey: string | undefined;
  readonly conditions: Conditions;
  readonly steps: readonly Step[];
  /** Used in turn; null for synthetic prompts. */
  readonly prompts: readonly Prompt[] | null;
  /** Steps that are already measured. */
  readonly measured: readonly StepReport[];
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Called with the report so far after each finished step. */
  readonly onStep: (soFar: Report) => Promise<void>;
}

/** The first response may have to wait until a model is loaded. */
const FIRST_RESPONSE_MS = 60_000;

/** Measures the steps one after the other, except those already measured, until the signal aborts. */
export async function runBench(bench: BenchRun): Promise<Report> {
  const { pool, conditions, steps, measured, signal, progress } = bench;
  const startedAt = new Date().toISOString();
  const client = new BenchClient(pool, conditions.timeoutMs);
  const firstClient = new BenchClient(pool, Math.max(conditions.timeoutMs, FIRST_RESPONSE_MS));
  const abortRequests = () => {
    client.abortAll();
    firstClient.abortAll();
  };
  signal.addEventListener('abort', abortRequests, { once: true });
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
  const createRequests = await prepareRequests(bench, firstClient).catch((error) => {
    if (!signal.aborted) throw error;
  });
  if (!createRequests) return soFar();
  for (const [index, step] of waiting.entries()) {
    if (signal.aborted) break;
    const nextRequest = createRequests(step);
    const onStart = progress.starter(step, index, waiting.length);
    const report = await runStep({ step, client, nextRequest, conditions, signal, onStart });
    progress.stop();
    if (report) reports.set(step.name, report);
    if (!signal.aborted) await bench.onStep(soFar());
  }
  signal.removeEventListener('abort', abortRequests);
  return soFar();
}

/** Sends the first requests and returns a function that creates the requests of a step. */
async function prepareRequests(
  bench: BenchRun,
  client: BenchClient,
): Promise<(step: Step) => () => BenchRequest> {
  const { target, conditions, prompts, apiKey } = bench;
  const createRequest = createRequestBuilder(target, conditions, apiKey);
  const shortRequest = createRequestBuilder(target, { ...conditions, maxTokens: 1 }, apiKey);
  const countTokens = (prompt: Prompt) => sendFirstRequest(client, shortRequest(prompt), bench);
  if (prompts) {
    const nextPrompt = inTurn(prompts);
    await countTokens(nextPrompt());
    return () => () => createRequest(nextPrompt());
  }
  const salt = randomInt(2 ** 31);
  const makePrompt = promptMaker(salt, await estimateTokens(countTokens, salt));
  return ({ promptTokens }) =>
    () =>
      createRequest(makePrompt(promptTokens ?? 0));
}

/** Numbers continue across steps, so that no step finds prompts of another one in a cache. */
function promptMaker(salt: number, estimate: TokenEstimate): (tokens: number) => string {
  let number = 2;
  return (tokens) => syntheticPrompt(number++, wordsFor(tokens, estimate), salt);
}

function inTurn(prompts: readonly Prompt[]): () => Prompt {
  let next = 0;
  return () => prompts[next++ % prompts.length] ?? '';
}

/** Sends one request and returns its number of input tokens, if reported. Throws, with advice, if it fails. */
async function sendFirstRequest(
  client: BenchClient,
  request: BenchRequest,
  bench: BenchRun,
): Promise<number | undefined> {
  const outcome = await client.send(request);
  if (outcome.kind === 'done') return outcome.usage?.input;
  if (outcome.kind === 'abandoned') throw new Error('interrupted before anything was measured');
  const advice = await adviceFor(outcome.failure, bench);
  throw new Error(`the first request to ${bench.target.url} failed (${outcome.failure})${advice}`);
}

async function adviceFor(
  failure: string,
  { pool, target, apiKey, conditions: { model } }: BenchRun,
): Promise<string> {
  if (/model_(?:kind_mismatch|not_found)$/.test(failure)) {
    const models = await listModels(pool, target, apiKey).catch(() => []);
    const kind = models.find(({ id }) => id === model)?.kind;
    const what =
      kind === undefined
        ? 'is none of its chat models'
        : `is a model of the kind ${kind}, and only chat models can be measured`;
    return `: "${model}" ${what}; name one with --model: ${chatModelNames(models)}`;
  }
  return /^40[13]/.test(failure) ? `; ${keyAdvice}` : '';
}

const SHORTER = 8;
const LONGER = SHORTER + wordListLength;

/** Measures with two small requests how many tokens a word has. */
async function estimateTokens(
  countTokens: (prompt: Prompt) => Promise<number | undefined>,
  salt: number,
): Promise<TokenEstimate> {
  const shorter = await countTokens(syntheticPrompt(0, SHORTER, salt));
  const longer = await countTokens(syntheticPrompt(1, LONGER, salt));
  if (shorter === undefined || longer === undefined) return { base: 0, perWord: 1 };
  return fitTokens({ words: SHORTER, tokens: shorter }, { words: LONGER, tokens: longer });
}
