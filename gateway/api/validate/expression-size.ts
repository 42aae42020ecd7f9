/** How much an expression with repetitions grows to, and in how many ways it can be gone through. */
export interface ExpressionSize {
  /** How many elements it is multiplied out to. */
  readonly elements: number;
  /** Whether it can match nothing. */
  readonly canBeEmpty: boolean;
  /** In how many ways its first element is reached: the engine goes all of them when it looks for rules that begin with themselves. */
  readonly starts: number;
  /** How many elements may be the first, or the last, as what stands before or behind them can be nothing. */
  readonly first: number;
  readonly last: number;
  /** The most optional parts in a row at any place: the engine's work grows with their cube. */
  readonly choices: number;
}

export const ONE_ELEMENT: ExpressionSize = {
  elements: 1,
  canBeEmpty: false,
  starts: 1,
  first: 1,
  last: 1,
  choices: 1,
};
export const NO_ELEMENT: ExpressionSize = {
  elements: 0,
  canBeEmpty: true,
  starts: 0,
  first: 0,
  last: 0,
  choices: 0,
};

/** Beyond so many llama-server takes a repetition for one without end. */
export const MAX_REPETITIONS = 2000;

export function sequenceSize(a: ExpressionSize, b: ExpressionSize): ExpressionSize {
  return {
    elements: a.elements + b.elements,
    canBeEmpty: a.canBeEmpty && b.canBeEmpty,
    starts: a.starts + (a.canBeEmpty ? b.starts : 0),
    first: a.first + (a.canBeEmpty ? b.first : 0),
    last: b.last + (b.canBeEmpty ? a.last : 0),
    choices: Math.max(
      a.choices,
      b.choices,
      a.canBeEmpty ? a.first + b.first : 0,
      b.canBeEmpty ? a.last + b.last : 0,
    ),
  };
}

export function alternativesSize(a: ExpressionSize, b: ExpressionSize): ExpressionSize {
  return {
    elements: a.elements + b.elements,
    canBeEmpty: a.canBeEmpty || b.canBeEmpty,
    starts: a.starts + b.starts,
    first: Math.max(a.first, b.first),
    last: Math.max(a.last, b.last),
    choices: Math.max(a.choices, b.choices),
  };
}

/** Repeated from `min` to `max` times. Of what can be nothing any of the copies may be the next. */
export function repeatedSize(size: ExpressionSize, min: number, max: number): ExpressionSize {
  const times = Math.max(max > MAX_REPETITIONS ? min : max, 1);
  const ways = size.canBeEmpty ? times : 1;
  return {
    elements: size.elements * times,
    canBeEmpty: size.canBeEmpty || min === 0,
    starts: size.starts * ways,
    first: size.first * ways,
    last: size.last * ways,
    choices: size.choices * ways,
  };
}
