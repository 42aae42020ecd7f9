import { invalidValue } from '../../errors/catalogue.ts';
import {
  alternativesSize,
  type ExpressionSize,
  MAX_REPETITIONS,
  NO_ELEMENT,
  ONE_ELEMENT,
  repeatedSize,
  sequenceSize,
} from './expression-size.ts';

/** What a pattern may be multiplied out to. */
const MOST_ELEMENTS = 2000;
/** Of optional parts in a row, repeated ones counted as often as they are. */
const MOST_CHOICES = 150;
const MOST_CHARACTERS = 20_000;
const DEEPEST = 100;

/** Refuses a regular expression that llama-server makes an endless, or far too large, grammar of. */
export function validatePattern(pattern: string, place: () => string): void {
  if (pattern.length > MOST_CHARACTERS)
    throw invalidValue(place(), `a pattern of ${MOST_CHARACTERS} characters at most`);
  const { elements, choices } = new PatternReader(pattern, place).read();
  if (choices > MOST_CHOICES)
    throw invalidValue(place(), `a pattern with ${MOST_CHOICES} optional parts in a row at most`);
  if (elements > MOST_ELEMENTS && /[*+?{]/.test(pattern))
    throw invalidValue(
      place(),
      `a pattern whose repetitions, multiplied out, have ${MOST_ELEMENTS} elements at most; lower the numbers in its braces, or leave out repetitions of what is repeated already`,
    );
}

/** Reads as much of a pattern as tells how large it is; what it does not know counts as one character. */
class PatternReader {
  readonly #pattern: string;
  readonly #place: () => string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string, place: () => string) {
    this.#pattern = pattern;
    this.#place = place;
  }

  read(): ExpressionSize {
    let size = this.#alternatives();
    // A bracket too many: the engine says what is wrong with it.
    while (this.#at < this.#pattern.length) {
      this.#at += 1;
      size = sequenceSize(size, this.#alternatives());
    }
    return size;
  }

  #alternatives(): ExpressionSize {
    let size = this.#sequence();
    while (this.#pattern[this.#at] === '|') {
      this.#at += 1;
      size = alternativesSize(size, this.#sequence());
    }
    return size;
  }

  #sequence(): ExpressionSize {
    let size = NO_ELEMENT;
    for (let next = this.#pattern[this.#at]; next !== undefined; next = this.#pattern[this.#at]) {
      if (next === '|' || next === ')') break;
      size = sequenceSize(size, this.#withRepetitions(this.#atom(next)));
    }
    return size;
  }

  #atom(first: string): ExpressionSize {
    this.#at += 1;
    if (first === '(') return this.#group();
    if (first === '[') this.#skipClass();
    else if (first === '\\') this.#at += 1;
    return first === '^' || first === '$' ? NO_ELEMENT : ONE_ELEMENT;
  }

  #group(): ExpressionSize {
    this.#depth += 1;
    if (this.#depth > DEEPEST)
      throw invalidValue(this.#place(), `a pattern of groups nested ${DEEPEST} deep at most`);
    const size = this.#alternatives();
    if (this.#pattern[this.#at] === ')') this.#at += 1;
    this.#depth -= 1;
    return size;
  }

  #skipClass(): void {
    while (this.#at < this.#pattern.length && this.#pattern[this.#at] !== ']')
      this.#at += this.#pattern[this.#at] === '\\' ? 2 : 1;
    this.#at += 1;
  }

  #withRepetitions(atom: ExpressionSize): ExpressionSize {
    let size = atom;
    for (;;) {
      const next = this.#pattern[this.#at];
      const times = next === '{' ? this.#braces() : undefined;
      if (next === '*' || next === '+' || next === '?') this.#at += 1;
      else if (times === undefined) return size;
      size = repeatedSize(size, ...(times ?? quantifiers[next as keyof typeof quantifiers]));
    }
  }

  /** Undefined, and passed over as a character, where no numbers stand in them. Read as the engine reads them: by their beginnings. */
  #braces(): readonly [number, number] | undefined {
    const end = this.#pattern.indexOf('}', this.#at);
    const numbers = end === -1 ? [] : this.#pattern.slice(this.#at + 1, end).split(',');
    const [min = 0, max = min] = numbers.map((text, index) => numberIn(text, index));
    if (numbers.length < 1 || numbers.length > 2 || Number.isNaN(min) || Number.isNaN(max)) return undefined;
    this.#at = end + 1;
    if (min > max)
      throw invalidValue(
        this.#place(),
        'a pattern whose repetitions have a minimum that is not above their maximum',
      );
    if (min >= MAX_REPETITIONS)
      throw invalidValue(this.#place(), `a pattern that demands fewer than ${MAX_REPETITIONS} repetitions`);
    return [min, max];
  }
}

/** Nothing means from none, and without end. */
function numberIn(text: string, index: number): number {
  if (text.trim() !== '') return Number.parseInt(text, 10);
  return index === 0 ? 0 : Number.POSITIVE_INFINITY;
}

const quantifiers = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
} as const;
