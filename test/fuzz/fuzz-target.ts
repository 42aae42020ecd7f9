import * as fc from 'fast-check';
import { readCorpus } from './corpus.ts';
import type { Subject, Target } from './target.ts';

export interface FuzzReport {
  readonly target: string;
  readonly executions: number;
  readonly failures: readonly Failure[];
}

/** The smallest inputs found to fail together, often a single one, and the error. */
export interface Failure {
  readonly inputs: readonly Buffer[];
  readonly error: unknown;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly forMs: number;
  /** An input that takes more CPU time than this, ms, fails: no input may be slow to read. */
  readonly slowMs: number;
}

const MAX_FAILURES = 10;
const MAX_BYTES = 4096;

/** Tries changed inputs until the time is over. Failures with the same message and place are reported once. */
export async function fuzzTarget(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const { together = 1 } = target;
  await using subject = await target.open();
  const failures = new Map<string, Failure>();
  const until = performance.now() + options.forMs;
  let executions = 0;

  const inputs = fc.array(changedInput(target), { minLength: 1, maxLength: together });
  const property = fc.asyncProperty(inputs, async (all) => {
    executions += all.length;
    const errors = await Promise.all(all.map((input) => tryInput(subject, input, options.slowMs)));
    const fresh = errors.find((error) => error !== undefined && !failures.has(kindOf(error)));
    if (fresh !== undefined) throw fresh;
  });
  for (let seed = options.seed; performance.now() < until && failures.size < MAX_FAILURES; seed++) {
    const { failed, counterexample, errorInstance } = await fc.check(property, {
      seed,
      numRuns: 2 ** 31 - 1,
      interruptAfterTimeLimit: until - performance.now(),
      markInterruptAsFailure: false,
    });
    if (failed && counterexample)
      failures.set(kindOf(errorInstance), { inputs: counterexample[0], error: errorInstance });
  }
  await subject.check?.();
  return { target: target.name, executions, failures: [...failures.values()] };
}

/** Text that parsers often get wrong. */
const awkward = [
  ...['\0', '\n', '\r\n', '\n\n', '"', '\\', '\\"', '{', '}', '[', ']', ':', ',', ' ', "'"],
  ...['\u2028', '\ufeff', '🐎', 'é', '\\ud800', '__proto__', 'constructor', 'toString', 'null', 'true'],
  ...['-1', '0', '-0', '1e999', '9007199254740993', '9'.repeat(20), '0x10', 'NaN', '%00', '../'],
  ...['1'.repeat(400)],
].map((text) => Buffer.from(text));

/** A known input, or one that the target's grammar generates, with up to six pieces replaced. */
function changedInput(target: Target): fc.Arbitrary<Buffer> {
  const known = [...target.seeds.map((seed) => Buffer.from(seed)), ...readCorpus(target.name)];
  const origins = fc.constantFrom(...(known.length > 0 ? known : [Buffer.alloc(0)]));
  const generated = target.grammar?.map((input) => Buffer.from(input));
  const words = target.tokens.map((word) => Buffer.from(word));
  const piece = fc.oneof(
    fc.constant(Buffer.alloc(0)),
    fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(...words, ...awkward),
    fc.tuple(origins, fc.nat(), fc.nat(64)).map(([input, at, length]) => slice(input, at, length)),
  );
  const change = fc.record({
    at: fc.nat(),
    length: fc.constantFrom(0, 1, 2, 8, 64),
    piece,
    times: fc.constantFrom(1, 1, 1, 2, 10, 300),
  });
  return fc
    .tuple(generated ? fc.oneof(origins, generated) : origins, fc.array(change, { maxLength: 6 }))
    .map(([origin, changes]) =>
      changes
        .reduce((input, { at, length, piece: replacement, times }) => {
          const start = at % (input.length + 1);
          const pieces = Array.from({ length: times }, () => replacement);
          return Buffer.concat([input.subarray(0, start), ...pieces, input.subarray(start + length)]);
        }, origin)
        .subarray(0, target.mostBytes ?? MAX_BYTES),
    );
}

function slice(input: Buffer, at: number, length: number): Buffer {
  const start = at % (input.length + 1);
  return input.subarray(start, start + length);
}

async function tryInput(subject: Subject, input: Buffer, slowMs: number): Promise<unknown> {
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

/** The message without its numbers and quoted texts, and where it was thrown. */
function kindOf(error: unknown): string {
  const { message = String(error), stack = '' } = error as Partial<Error>;
  const place = /\n\s+at (.*)/.exec(stack)?.[1] ?? '';
  return `${message.replace(/\d+|".*"/gs, '…').slice(0, 80)} ${place}`;
}
