import {
  alternativesSize,
  type ExpressionSize,
  MAX_REPETITIONS,
  NO_ELEMENT,
  ONE_ELEMENT,
  repeatedSize,
  sequenceSize,
} from './expression-size.ts';

/** A part of a rule: something that is written out, or the name of a rule, in an expression. */
type Part =
  | { readonly kind: 'size'; readonly size: ExpressionSize }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'sequence' | 'alternatives'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeated'; readonly part: Part; readonly min: number; readonly max: number };

const single: Part = { kind: 'size', size: ONE_ELEMENT };
const DEEPEST = 100;
const LARGEST_TOKEN = 10_000_000;

interface Grammar {
  readonly rules: ReadonlyMap<string, Part>;
  readonly mostAlternatives: number;
}

/** Reads as much of a GBNF grammar as tells how large it grows. What is wrong in it the engine says. */
export class GrammarReader {
  readonly #text: string;
  readonly #refuse: (expected: string) => never;
  #at = 0;
  #depth = 0;
  #mostAlternatives = 0;

  constructor(text: string, refuse: (expected: string) => never) {
    this.#text = text;
    this.#refuse = refuse;
  }

  read(): Grammar {
    const rules = new Map<string, Part>();
    const head = /([a-zA-Z0-9-]+)[ \t]*::=/g;
    for (let found = head.exec(this.#text); found; found = head.exec(this.#text)) {
      this.#at = head.lastIndex;
      rules.set(found[1] ?? '', this.#alternatives());
      head.lastIndex = this.#at;
    }
    return { rules, mostAlternatives: this.#mostAlternatives };
  }

  /**
   * How large the repetitions of a grammar are multiplied out, and how many optional parts stand in a row, and in how many ways
   * rules begin with one another. A rule within itself counts as one element.
   */
  largest(rules: Grammar['rules']): Pick<ExpressionSize, 'elements' | 'choices' | 'starts'> {
    const known = new Map<string, ExpressionSize>();
    let [elements, choices, starts] = [0, 0, 0];
    const note = (size: ExpressionSize): ExpressionSize => {
      choices = Math.max(choices, size.choices);
      starts = Math.max(starts, size.starts);
      return size;
    };
    const sizeOf = (part: Part, depth: number): ExpressionSize => {
      switch (part.kind) {
        case 'size':
          return part.size;
        case 'name':
          return sizeOfRule(part.name, depth);
        case 'sequence':
          return note(part.parts.map((each) => sizeOf(each, depth)).reduce(sequenceSize, NO_ELEMENT));
        case 'alternatives':
          return note(part.parts.map((each) => sizeOf(each, depth)).reduce(alternativesSize));
        case 'repeated': {
          const size = repeatedSize(sizeOf(part.part, depth), part.min, part.max);
          if (part.max > 1 && part.max <= MAX_REPETITIONS) elements = Math.max(elements, size.elements);
          return note(size);
        }
      }
    };
    const sizeOfRule = (name: string, depth: number): ExpressionSize => {
      const before = known.get(name);
      const rule = rules.get(name);
      if (before !== undefined || rule === undefined) return before ?? ONE_ELEMENT;
      // One that leads to a rule, that leads to a rule…: the engine follows that by recursion, too.
      if (depth > 1000) this.#refuse('rules that lead to one another 1000 deep at most');
      known.set(name, ONE_ELEMENT);
      const size = sizeOf(rule, depth + 1);
      known.set(name, size);
      return size;
    };
    for (const name of rules.keys()) sizeOfRule(name, 0);
    return { elements, choices, starts };
  }

  #alternatives(): Part {
    const parts = [this.#sequence()];
    while (this.#text[this.#at] === '|') {
      this.#at += 1;
      parts.push(this.#sequence());
    }
    this.#mostAlternatives = Math.max(this.#mostAlternatives, parts.length);
    const [only] = parts;
    return parts.length === 1 && only ? only : { kind: 'alternatives', parts };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    for (;;) {
      this.#skipBlanks();
      const part = this.#atom(this.#text[this.#at]);
      if (part === undefined) return { kind: 'sequence', parts };
      parts.push(this.#withRepetitions(part));
    }
  }

  #atom(first: string | undefined): Part | undefined {
    if (first === undefined || first === '|' || first === ')') return undefined;
    if (first === '"') return { kind: 'size', size: { ...ONE_ELEMENT, elements: this.#skipTo('"') } };
    if (first === '[') {
      this.#skipTo(']');
      return single;
    }
    if (first === '<' || first === '!') return this.#token();
    if (first === '(') return this.#group();
    const name = this.#take(/[a-zA-Z0-9-]+/y);
    if (name === undefined) {
      this.#at += 1;
      return single;
    }
    // The head of the next rule.
    if (/[ \t]*::=/y.test(this.#text.slice(this.#at, this.#at + 100))) {
      this.#at -= name.length;
      return undefined;
    }
    return { kind: 'name', name };
  }

  #group(): Part {
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > DEEPEST) this.#refuse(`groups nested ${DEEPEST} deep at most`);
    const part = this.#alternatives();
    if (this.#text[this.#at] === ')') this.#at += 1;
    this.#depth -= 1;
    return part;
  }

  #token(): Part {
    const [, id] = /^!?<\[(\d+)\]>/.exec(this.#text.slice(this.#at, this.#at + 40)) ?? [];
    if (id !== undefined && Number(id) > LARGEST_TOKEN) this.#refuse('tokens that a vocabulary can have');
    this.#at += 1;
    this.#skipTo('>');
    return single;
  }

  #withRepetitions(first: Part): Part {
    let part = first;
    for (;;) {
      this.#skipBlanks();
      const next = this.#text[this.#at];
      const braces = next === '{' ? this.#take(/\{\s*\d*\s*,?\s*\d*\s*\}/y) : undefined;
      if (braces === undefined && next !== '*' && next !== '+' && next !== '?') return part;
      if (braces === undefined) this.#at += 1;
      const [min, max] = braces === undefined ? quantifiers[next as '*' | '+' | '?'] : this.#times(braces);
      part = { kind: 'repeated', part, min, max };
    }
  }

  #times(braces: string): readonly [number, number] {
    const [least = '', most] = braces.slice(1, -1).split(',');
    const min = Number(least);
    const max = most === undefined ? min : most.trim() === '' ? Number.POSITIVE_INFINITY : Number(most);
    if (min > max) this.#refuse('repetitions with a minimum that is not above their maximum');
    return [min, max];
  }

  /** Past the closing mark; answers how many characters stand between, escapes as one. */
  #skipTo(mark: string): number {
    let count = 0;
    for (this.#at += 1; this.#at < this.#text.length && this.#text[this.#at] !== mark; count++)
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at += 1;
    return count;
  }

  #skipBlanks(): void {
    this.#take(/(?:[ \t\r\n]|#[^\r\n]*)+/y);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

const quantifiers = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
} as const;
