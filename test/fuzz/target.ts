import type { Arbitrary } from 'fast-check';

/** A parser of untrusted input. */
export interface Target {
  readonly name: string;
  /** Valid inputs to start from. */
  readonly seeds: readonly (string | Buffer)[];
  /** Tokens of its grammar. */
  readonly tokens: readonly string[];
  /** Inputs generated from a grammar, for parsers that would reject almost every random change. */
  readonly grammar?: Arbitrary<string | Buffer>;
  readonly mostBytes?: number;
  /** How many inputs run concurrently; 1 if the target is synchronous. */
  readonly together?: number;
  open(): Promise<Subject> | Subject;
}

/** A target that is ready for inputs. */
export interface Subject extends AsyncDisposable {
  /** Throws or rejects if an invariant is violated. */
  try(input: Buffer): void | Promise<void>;
  /** Throws if the inputs so far have left something behind. Called from time to time and at the end. */
  check?(): Promise<void>;
}

/** A subject without setup or cleanup. */
export function pure(attempt: (input: Buffer) => void): () => Subject {
  return () => ({ try: attempt, [Symbol.asyncDispose]: async () => {} });
}
