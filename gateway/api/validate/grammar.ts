import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import {
  ExpressionReader,
  type ExpressionSize,
  MAX_REPETITIONS,
  measure,
  ONE_ELEMENT,
  type Part,
  type Reject,
  single,
  type Times,
} from './expression.ts';

const MAX_CHARACTERS = 200_000;
/** The most elements of a rule with its repetitions multiplied out, including the rules that it names. */
const MAX_ELEMENTS = 20_000;
const MAX_RULES = 5000;
const MAX_ALTERNATIVES = 3000;
/** The most optional parts in a row; a repeated one counts as often as it is repeated. */
const MAX_CHOICES = 150;
const MAX_STARTS = 20_000;
const MAX_RULE_CHAIN = 1000;
const MAX_TOKEN_ID = 10_000_000;

/** Rejects a grammar (GBNF) that overflows llama-server's stack, or takes it too long. */
export function validateGrammar({ grammar }: JsonObject): void {
  if (typeof grammar !== 'string' || grammar === '') return;
  if (grammar.length > MAX_CHARACTERS)
    reject(`of at most ${MAX_CHARACTERS} characters, not ${grammar.length}`);
  if (grammar.startsWith('%llguidance'))
    reject('in GBNF; a build of llama-server without llguidance crashes on its grammars');
  const { rules, mostAlternatives } = new GrammarReader(grammar, reject).read();
  if (rules.size > MAX_RULES) reject(`with at most ${MAX_RULES} rules, not ${rules.size}`);
  if (mostAlternatives > MAX_ALTERNATIVES)
    reject(`with at most ${MAX_ALTERNATIVES} alternatives in a rule, not ${mostAlternatives}`);
  const { elements, choices, starts } = measureRules(rules);
  if (elements > MAX_ELEMENTS)
    reject(`with at most ${MAX_ELEMENTS} elements when its repetitions are multiplied out, not ${elements}`);
  if (choices > MAX_CHOICES) reject(`with at most ${MAX_CHOICES} optional parts in a row, not ${choices}`);
  if (starts > MAX_STARTS)
    reject(`whose rules begin with one another in at most ${MAX_STARTS} ways, not ${starts}`);
}

const reject: Reject = (expected) => {
  throw invalidValue('grammar', `a grammar ${expected}`);
};

type Rules = ReadonlyMap<string, Part>;

class GrammarReader extends ExpressionReader {
  read(): { readonly rules: Rules; readonly mostAlternatives: number } {
    const rules = new Map<string, Part>();
    const head = /([a-zA-Z0-9-]+)[ \t]*::=/g;
    for (let found = head.exec(this.text); found; found = head.exec(this.text)) {
      this.at = head.lastIndex;
      rules.set(found[1] ?? '', this.readAlternatives());
      head.lastIndex = this.at;
    }
    return { rules, mostAlternatives: this.mostAlternatives };
  }

  protected readAtom(first: string): Part | undefined {
    if (first === '"' || first === '[') {
      this.at += 1;
      const count = this.skipTo(first === '"' ? '"' : ']');
      return first === '"' ? { kind: 'size', size: { ...ONE_ELEMENT, elements: count } } : single;
    }
    if (first === '<' || first === '!') return this.#readToken();
    const name = this.#take(/[a-zA-Z0-9-]+/y);
    if (name === undefined) {
      this.at += 1;
      return single;
    }
    // The head of the next rule.
    if (/[ \t]*::=/y.test(this.text.slice(this.at, this.at + 100))) {
      this.at -= name.length;
      return undefined;
    }
    return { kind: 'name', name };
  }

  #readToken(): Part {
    const [, id] = /^!?<\[(\d+)\]>/.exec(this.text.slice(this.at, this.at + 40)) ?? [];
    if (id !== undefined && Number(id) > MAX_TOKEN_ID)
      this.reject(`with token ids up to ${MAX_TOKEN_ID}, not ${id}`);
    this.at += 2;
    this.skipTo('>');
    return single;
  }

  protected readBraces(): Times | undefined {
    const braces = this.#take(/\{\s*\d*\s*,?\s*\d*\s*\}/y);
    if (braces === undefined) return undefined;
    const [least = '', most] = braces.slice(1, -1).split(',');
    const min = Number(least);
    return [min, most === undefined ? min : most.trim() === '' ? Number.POSITIVE_INFINITY : Number(most)];
  }

  protected override skipBlanks(): void {
    this.#take(/(?:[ \t\r\n]|#[^\r\n]*)+/y);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.text) ?? [];
    if (found !== undefined) this.at += found.length;
    return found;
  }
}

/**
 * The largest repetition of a grammar, multiplied out; the most optional parts in a row; and the most ways in which rules begin
 * with one another. A rule within itself counts as one element.
 */
function measureRules(rules: Rules): Pick<ExpressionSize, 'elements' | 'choices' | 'starts'> {
  const known = new Map<string, ExpressionSize>();
  const most = { elements: 0, choices: 0, starts: 0 };
  let depth = 0;
  const onPart = (size: ExpressionSize, times?: Times) => {
    most.choices = Math.max(most.choices, size.choices);
    most.starts = Math.max(most.starts, size.starts);
    if (times && times[1] > 1 && times[1] <= MAX_REPETITIONS)
      most.elements = Math.max(most.elements, size.elements);
  };
  const getRuleSize = (name: string): ExpressionSize => {
    const measured = known.get(name);
    const rule = rules.get(name);
    if (measured !== undefined || rule === undefined) return measured ?? ONE_ELEMENT;
    // llama-server follows rules that name rules by recursion, too.
    if (depth > MAX_RULE_CHAIN) reject(`whose rules name one another at most ${MAX_RULE_CHAIN} levels deep`);
    known.set(name, ONE_ELEMENT);
    depth += 1;
    const size = measure(rule, { getRuleSize, onPart });
    depth -= 1;
    known.set(name, size);
    return size;
  };
  for (const name of rules.keys()) getRuleSize(name);
  return most;
}
