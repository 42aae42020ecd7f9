import type { Arbitrary } from 'fast-check';

/** One part of the product that reads what others have written. */
export interface Target {
  readonly name: string;
  /** Inputs that it reads well, to begin with. */
  readonly seeds: readonly (string | Buffer)[];
  /** Words of its language. */
  readonly words: readonly string[];
  /** Inputs made by rule, where mere change would hardly get past the first brace. */
  readonly grammar?: Arbitrary<string | Buffer>;
  readonly mostBytes?: number;
  /** How many inputs are tried at a time; 1 where it works without waiting. */
  readonly together?: number;
  open(): Promise<Subject> | Subject;
}

/** A target made ready to be tried. */
export interface Subject extends AsyncDisposable {
  /** Throws, or rejects, where something that must always hold does not. */
  try(input: Buffer): void | Promise<void>;
  /** Throws where the inputs so far have left something behind. Asked from time to time and at the end. */
  check?(): Promise<void>;
}

/** A subject without anything to open or close. */
export function pure(attempt: (input: Buffer) => void): () => Subject {
  return () => ({ try: attempt, [Symbol.asyncDispose]: async () => {} });
}
