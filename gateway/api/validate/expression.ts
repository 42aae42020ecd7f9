/** The size to which an expression with repetitions grows, and the number of ways through it. */
export interface ExpressionSize {
  /** How many elements it has when its repetitions are multiplied out. */
  readonly elements: number;
  readonly canBeEmpty: boolean;
  /** In how many ways its first element is reached: llama-server follows all of them when it looks for left recursion. */
  readonly starts: number;
  /** How many elements can be the first, or the last, because those before or behind them can be empty. */
  readonly first: number;
  readonly last: number;
  /** The most optional parts in a row at any place: llama-server's work grows with the cube of their number. */
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
const NO_ELEMENT: ExpressionSize = {
  elements: 0,
  canBeEmpty: true,
  starts: 0,
  first: 0,
  last: 0,
  choices: 0,
};

/** llama-server treats a larger maximum as unlimited. */
export const MAX_REPETITIONS = 2000;
const MAX_NESTED_GROUPS = 100;

/** A part of an expression: something of known size, the name of a rule, or an expression of parts. */
export type Part =
  | { readonly kind: 'size'; readonly size: ExpressionSize }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'sequence' | 'alternatives'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeated'; readonly part: Part; readonly times: readonly Times[] };

/** From `min` to `max` times. */
export type Times = readonly [min: number, max: number];

export const single: Part = { kind: 'size', size: ONE_ELEMENT };
export const empty: Part = { kind: 'size', size: NO_ELEMENT };

/** Throws an error about the expression; `expected` completes "an expression …". */
export type Reject = (expected: string) => never;

/**
 * Reads as much of an expression as determines its size. Grammars and patterns share groups, alternatives and repetitions; they
 * differ in their atoms. Mistakes in an expression are left to llama-server.
 */
export abstract class ExpressionReader {
  protected readonly text: string;
  protected readonly reject: Reject;
  protected at = 0;
  /** The most alternatives at one place. */
  protected mostAlternatives = 0;
  #depth = 0;

  constructor(text: string, reject: Reject) {
    this.text = text;
    this.reject = reject;
  }

  /** Reads an atom, which is not a group; undefined where the sequence ends. */
  protected abstract readAtom(first: string): Part | undefined;
  /** Reads the braces of a repetition; undefined, and nothing is read, where they are no repetition. */
  protected abstract readBraces(): Times | undefined;
  protected skipBlanks(): void {}

  protected readAlternatives(): Part {
    const parts = [this.#readSequence()];
    while (this.text[this.at] === '|') {
      this.at += 1;
      parts.push(this.#readSequence());
    }
    this.mostAlternatives = Math.max(this.mostAlternatives, parts.length);
    const [only] = parts;
    return parts.length === 1 && only ? only : { kind: 'alternatives', parts };
  }

  #readSequence(): Part {
    const parts: Part[] = [];
    for (;;) {
      this.skipBlanks();
      const first = this.text[this.at];
      if (first === undefined || first === '|' || first === ')') return { kind: 'sequence', parts };
      const part = first === '(' ? this.#readGroup() : this.readAtom(first);
      if (part === undefined) return { kind: 'sequence', parts };
      parts.push(this.#readRepetitions(part));
    }
  }

  #readGroup(): Part {
    this.at += 1;
    this.#depth += 1;
    if (this.#depth > MAX_NESTED_GROUPS)
      this.reject(`with groups nested at most ${MAX_NESTED_GROUPS} levels deep`);
    const part = this.readAlternatives();
    if (this.text[this.at] === ')') this.at += 1;
    this.#depth -= 1;
    return part;
  }

  #readRepetitions(part: Part): Part {
    let times: Times[] | undefined;
    for (;;) {
      this.skipBlanks();
      const found = this.#readTimes(this.text[this.at]);
      if (found === undefined) return times ? { kind: 'repeated', part, times } : part;
      if (found[0] > found[1])
        this.reject('whose repetitions have a minimum that is not above their maximum');
      times ??= [];
      times.push(found);
    }
  }

  #readTimes(next: string | undefined): Times | undefined {
    if (next === '{') return this.readBraces();
    if (next !== '*' && next !== '+' && next !== '?') return undefined;
    this.at += 1;
    return quantifiers[next];
  }

  /** Moves past the closing mark; returns how many characters stand before it, an escape counted as one. */
  protected skipTo(mark: string): number {
    let count = 0;
    for (; this.at < this.text.length && this.text[this.at] !== mark; count++)
      this.at += this.text[this.at] === '\\' ? 2 : 1;
    this.at += 1;
    return count;
  }
}

const quantifiers = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
} as const;

export interface Visitor {
  /** The size of a rule. */
  readonly getRuleSize: (name: string) => ExpressionSize;
  /** Called with the size of every part that consists of others. */
  readonly onPart: (size: ExpressionSize, times?: Times) => void;
}

/** Measures a part. */
export function measure(part: Part, visitor: Visitor): ExpressionSize {
  switch (part.kind) {
    case 'size':
      return part.size;
    case 'name':
      return visitor.getRuleSize(part.name);
    case 'repeated': {
      let size = measure(part.part, visitor);
      for (const times of part.times) {
        size = repeat(size, times);
        visitor.onPart(size, times);
      }
      return size;
    }
    case 'sequence':
    case 'alternatives': {
      const join = part.kind === 'sequence' ? joinSequence : joinAlternatives;
      let size: ExpressionSize | undefined;
      for (const each of part.parts) {
        const next = measure(each, visitor);
        size = size ? join(size, next) : next;
      }
      size ??= NO_ELEMENT;
      visitor.onPart(size);
      return size;
    }
  }
}

function joinSequence(a: ExpressionSize, b: ExpressionSize): ExpressionSize {
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

function joinAlternatives(a: ExpressionSize, b: ExpressionSize): ExpressionSize {
  return {
    elements: a.elements + b.elements,
    canBeEmpty: a.canBeEmpty || b.canBeEmpty,
    starts: a.starts + b.starts,
    first: Math.max(a.first, b.first),
    last: Math.max(a.last, b.last),
    choices: Math.max(a.choices, b.choices),
  };
}

/** Where the repeated part can be empty, any of its copies may be the next. */
function repeat(size: ExpressionSize, [min, max]: Times): ExpressionSize {
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
