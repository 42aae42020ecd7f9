import * as fc from 'fast-check';
import { readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { shrink } from './shrink.ts';
import type { Subject, Target } from './target.ts';

export interface FuzzReport {
  readonly target: string;
  readonly executions: number;
  /** Kinds of behaviour seen, as coverage.ts tells them apart. */
  readonly blocks: number;
  /** The inputs that reached something new, those of the corpus among them. */
  readonly reached: readonly Buffer[];
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly input: Buffer;
  readonly error: unknown;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly forMs: number;
  /** An input that takes more of the processor than this, ms, has failed: readers are to be quick with whatever comes. */
  readonly slowMs: number;
}

/** How many inputs run between two looks at what they reached: a look costs as much as many of them. */
const BATCH = 64;
/** Failures of one kind are one failure: the first is kept. */
const MOST_FAILURES = 10;
const MOST_BYTES = 4096;
const SHRINKING = 400;

/** Changes what is known at random, keeps what reaches new code, and tells what broke. */
export async function fuzzTarget(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const { mostBytes = MOST_BYTES, together = 1, shrinking = SHRINKING, grammar } = target;
  const random = new Random(options.seed);
  const words = target.words.map((word) => Buffer.from(word));
  await using subject = await target.open();
  using coverage = new Coverage();
  const reached: Buffer[] = [];
  const failures = new Map<string, Failure>();
  let executions = 0;

  const attempt = async (input: Buffer) => {
    executions += 1;
    const error = await outcomeOf(subject, input, options.slowMs);
    if (error === undefined || failures.has(kindOf(error)) || failures.size >= MOST_FAILURES) return;
    failures.set(kindOf(error), { input, error });
    const same = async (smaller: Buffer) => {
      const other = await outcomeOf(subject, smaller, options.slowMs);
      return other !== undefined && kindOf(other) === kindOf(error);
    };
    failures.set(kindOf(error), { input: await shrink(input, same, shrinking), error });
  };
  const attemptAll = async (inputs: readonly Buffer[]) => {
    for (let at = 0; at < inputs.length; at += together) {
      await Promise.all(inputs.slice(at, at + together).map(attempt));
    }
  };
  /** A batch that reached something is gone through again, one by one, to learn which of them it was. */
  const learn = async (inputs: readonly Buffer[]) => {
    await attemptAll(inputs);
    if (coverage.fresh({ keep: false }) === 0) return;
    for (const input of inputs) {
      await attempt(input);
      if (coverage.fresh({ keep: true }) > 0) reached.push(input);
    }
  };

  coverage.fresh({ keep: false });
  await learn([...target.seeds.map((seed) => Buffer.from(seed)), ...readCorpus(target.name)]);
  const until = performance.now() + options.forMs;
  while (performance.now() < until && failures.size < MOST_FAILURES) {
    const fromRules = grammar ? sample(grammar, BATCH / 4, random.below(2 ** 31)) : [];
    const origins = reached.length > 0 ? reached : [Buffer.alloc(0)];
    const material = { words, others: origins, mostBytes };
    const changed = Array.from({ length: BATCH - fromRules.length }, (_, n) => {
      const origin = n % 3 === 0 && fromRules.length > 0 ? random.pick(fromRules) : random.pick(origins);
      return mutate(origin, material, random);
    });
    await learn([...fromRules, ...changed]);
  }
  await subject.check?.();
  return {
    target: target.name,
    executions,
    blocks: coverage.size,
    reached,
    failures: [...failures.values()],
  };
}

function sample(grammar: fc.Arbitrary<string | Buffer>, count: number, seed: number): Buffer[] {
  return fc.sample(grammar, { numRuns: count, seed }).map((input) => Buffer.from(input));
}

async function outcomeOf(subject: Subject, input: Buffer, slowMs: number): Promise<unknown> {
  const before = process.cpuUsage();
  try {
    await subject.try(input);
  } catch (error) {
    return error;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 > slowMs
    ? new Error(`slow: ${input.length} bytes took longer than ${slowMs} ms`)
    : undefined;
}

/** What is said apart from the figures and texts in it, and where it was thrown. */
function kindOf(error: unknown): string {
  const { message = String(error), stack = '' } = error as Partial<Error>;
  const place = /\n\s+at (.*)/.exec(stack)?.[1] ?? '';
  return `${message.replace(/\d+|".*"/gs, '…').slice(0, 80)} ${place}`;
}
