import { invalidValue } from '../../errors/catalogue.ts';
import {
  ExpressionReader,
  empty,
  MAX_REPETITIONS,
  measure,
  ONE_ELEMENT,
  type Part,
  single,
  type Times,
} from './expression.ts';

const MAX_CHARACTERS = 20_000;
/** With its repetitions multiplied out. */
const MAX_ELEMENTS = 2000;
/** The most optional parts in a row; a repeated one counts as often as it is repeated. */
const MAX_CHOICES = 150;

/** Patterns that were accepted: agents send the same tools with every turn, and to read a pattern takes microseconds. */
const accepted = new Set<string>();
const MAX_ACCEPTED = 1000;
const MAX_ACCEPTED_LENGTH = 500;

/** Rejects a regular expression from which llama-server makes an endless or far too large grammar. */
export function validatePattern(pattern: string, place: () => string): void {
  if (accepted.has(pattern)) return;
  readPattern(pattern, place);
  if (pattern.length > MAX_ACCEPTED_LENGTH) return;
  if (accepted.size >= MAX_ACCEPTED) accepted.clear();
  accepted.add(pattern);
}

function readPattern(pattern: string, place: () => string): void {
  const reject = (expected: string): never => {
    throw invalidValue(place(), `a pattern ${expected}`);
  };
  if (pattern.length > MAX_CHARACTERS)
    reject(`of at most ${MAX_CHARACTERS} characters, not ${pattern.length}`);
  const part = new PatternReader(pattern, reject).read();
  const { elements, choices } = measure(part, { getRuleSize: () => ONE_ELEMENT, onPart: () => {} });
  if (choices > MAX_CHOICES) reject(`with at most ${MAX_CHOICES} optional parts in a row, not ${choices}`);
  if (elements > MAX_ELEMENTS && /[*+?{]/.test(pattern))
    reject(
      `with at most ${MAX_ELEMENTS} elements when its repetitions are multiplied out; lower the numbers in its braces, or remove repetitions inside of repetitions`,
    );
}

/** Anything that it does not recognise counts as one character. */
class PatternReader extends ExpressionReader {
  read(): Part {
    const parts = [this.readAlternatives()];
    // A closing bracket too many.
    while (this.at < this.text.length) {
      this.at += 1;
      parts.push(this.readAlternatives());
    }
    return { kind: 'sequence', parts };
  }

  protected readAtom(first: string): Part {
    this.at += 1;
    if (first === '[') this.skipTo(']');
    else if (first === '\\') this.at += 1;
    return first === '^' || first === '$' ? empty : single;
  }

  /** llama-server reads only the leading digits of a number. */
  protected readBraces(): Times | undefined {
    const end = this.text.indexOf('}', this.at);
    const numbers = end === -1 ? [] : this.text.slice(this.at + 1, end).split(',');
    const [min = 0, max = min] = numbers.map((text, index) => parseCount(text, index));
    if (numbers.length < 1 || numbers.length > 2 || Number.isNaN(min) || Number.isNaN(max)) return undefined;
    this.at = end + 1;
    if (min >= MAX_REPETITIONS && min <= max)
      this.reject(`whose repetitions have a minimum below ${MAX_REPETITIONS}, not ${min}`);
    return [min, max];
  }
}

/** An empty minimum is 0, an empty maximum is unlimited. */
function parseCount(text: string, index: number): number {
  if (text.trim() !== '') return Number.parseInt(text, 10);
  return index === 0 ? 0 : Number.POSITIVE_INFINITY;
}
