import { setTimeout as sleep } from 'node:timers/promises';
import { Asker } from '../../bench/asker.ts';
import { questioner } from '../../bench/question.ts';
import type { Conditions, StepReport } from '../../bench/report.ts';
import { runStep } from '../../bench/run-step.ts';
import { openConnections, readTarget } from '../../bench/target.ts';
import type { Contender } from './contenders.ts';
import type { ComparedLoad } from './loads.ts';
import { cpuMsOf } from './process-cpu.ts';

export interface Measured {
  readonly report: StepReport;
  /** CPU of the contender, µs. */
  readonly cpuPerRequest: number;
  readonly cpuPerToken: number;
}

const WARMUP_MS = 2000;

/** One contender under one load. Throws where a request failed: such a figure is worth nothing. */
export async function measure(
  contender: Contender,
  load: ComparedLoad,
  durationMs: number,
): Promise<Measured> {
  const conditions = conditionsOf(contender, load, durationMs);
  const target = readTarget(contender.origin);
  const pool = openConnections(target);
  const question = questioner(target, conditions, contender.apiKey)('x'.repeat(load.promptBytes));
  let cpuMs: Promise<number> | undefined;
  try {
    const report = await runStep({
      step: { name: load.title, load: { kind: 'closed', concurrency: load.concurrency }, promptTokens: null },
      asker: new Asker(pool, conditions.timeoutMs),
      nextQuestion: () => question,
      conditions,
      signal: new AbortController().signal,
      onStart: (_, from, until) => {
        cpuMs = cpuBetween(contender.pid, from, until);
      },
    });
    if (!report || !cpuMs || report.errors.length > 0)
      throw new Error(`${contender.name}: ${JSON.stringify(report?.errors)}`);
    const cpuPerSecond = ((await cpuMs) * 1000) / report.seconds;
    return {
      report,
      cpuPerRequest: cpuPerSecond / report.requestsPerSecond,
      cpuPerToken: cpuPerSecond / report.tokensPerSecond,
    };
  } finally {
    await pool.destroy();
  }
}

async function cpuBetween(pid: number, from: number, until: number): Promise<number> {
  await sleep(from - performance.now());
  const before = cpuMsOf(pid);
  await sleep(until - performance.now());
  return cpuMsOf(pid) - before;
}

function conditionsOf(
  { origin }: Contender,
  { tokens, delayMs, isStream }: ComparedLoad,
  durationMs: number,
): Conditions {
  return {
    ...{
      url: origin,
      path: 'chat',
      model: `${tokens}:${delayMs}`,
      stream: isStream,
      maxTokens: tokens,
      body: {},
    },
    ...{
      prompts: null,
      durationMs,
      requests: null,
      warmupMs: WARMUP_MS,
      timeoutMs: 60_000,
      retries: 0,
      maxOpen: 1,
    },
  };
}
