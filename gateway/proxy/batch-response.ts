import type { ApiRoute } from '../api/route-table.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One result among others, which says which one it is. */
interface Result extends Fields {
  readonly index: number;
}

/** The answers to the parts of a batch, put together into the one that llama-server gives to a whole. */
export class BatchResponse {
  readonly #list: string;
  readonly #isRanking: boolean;
  readonly #most: number;
  readonly #perPart: number;
  /** Of each part, as JSON without its brackets; of a ranking, as it is, for its order. */
  readonly #results: (string | readonly Result[])[] = [];
  #head: Fields | undefined;
  #usage: unknown;

  /** `perPart` results come of each part but the last. */
  constructor({ inputsField, generates }: ApiRoute, { top_n }: Fields, perPart: number) {
    this.#isRanking = inputsField === 'documents';
    this.#list = generates ? 'choices' : this.#isRanking ? 'results' : 'data';
    this.#most = typeof top_n === 'number' ? top_n : Number.POSITIVE_INFINITY;
    this.#perPart = perPart;
  }

  /** Adds the answer to a part; throws where it is none. */
  add(at: number, text: string): void {
    const answer: unknown = JSON.parse(text);
    const { [this.#list]: listed, usage, ...head } = answer as Fields;
    const isBare = listed === undefined;
    const results = (isBare ? [answer].flat() : listed) as readonly Fields[];
    if (!Array.isArray(results)) throw new Error('the answer to a part of a batch has another shape');
    if (!isBare && (at === 0 || this.#head === undefined)) this.#head = head;
    this.#usage = sum(this.#usage, usage);
    const from = at * this.#perPart;
    const placed = results.map((result, n): Result => {
      const index = this.#isRanking ? Number(result.index) : n;
      return { ...result, index: from + index };
    });
    this.#results[at] = this.#isRanking ? placed : JSON.stringify(placed).slice(1, -1);
  }

  toBuffer(): Buffer {
    const list = `[${(this.#isRanking ? this.#ranked() : this.#results).join()}]`;
    if (this.#head === undefined) return Buffer.from(list);
    const before = JSON.stringify({ object: 'list', ...this.#head, usage: this.#usage }).slice(0, -1);
    return Buffer.from(`${before},${JSON.stringify(this.#list)}:${list}}`);
  }

  #ranked(): string[] {
    const all = this.#results.flatMap((results) => (typeof results === 'string' ? [] : results));
    const score = ({ relevance_score, score }: Result) => Number(relevance_score ?? score);
    const sorted = all.toSorted((a, b) => score(b) - score(a));
    return sorted.slice(0, this.#most).map((result) => JSON.stringify(result));
  }
}

/** Number by number, at any depth. */
function sum(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  if (typeof a === 'number') return a + (typeof b === 'number' ? b : 0);
  if (typeof a !== 'object' || a === null) return a;
  const more = (b ?? {}) as Fields;
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, sum(value, more[name])]));
}
