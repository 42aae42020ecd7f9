import type { ApiRoute } from '../api/route-table.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Result extends Fields {
  readonly index: number;
}

/** Merges the responses to the parts into the one that llama-server gives to the whole request. */
export class MergedResponse {
  readonly #list: string;
  readonly #isRanking: boolean;
  readonly #maxResults: number;
  readonly #firstResult: (part: number) => number;
  /** The results of each part, as JSON without its brackets; those of a ranking as objects, to be sorted. */
  readonly #results: (string | readonly Result[])[] = [];
  #head: Fields | undefined;
  #usage: unknown;

  /** `firstResult`: the place of the first result of each part. */
  constructor(
    { inputsField, generates }: ApiRoute,
    { top_n }: Fields,
    firstResult: (part: number) => number,
  ) {
    this.#isRanking = inputsField === 'documents';
    this.#list = generates ? 'choices' : this.#isRanking ? 'results' : 'data';
    this.#maxResults = typeof top_n === 'number' ? top_n : Number.POSITIVE_INFINITY;
    this.#firstResult = firstResult;
  }

  /** Adds the response to one part; throws if it has another format. */
  add(at: number, text: string): void {
    const response: unknown = JSON.parse(text);
    const { [this.#list]: listed, usage, ...head } = response as Fields;
    const isBare = listed === undefined;
    const results = (isBare ? [response].flat() : listed) as readonly Fields[];
    if (!Array.isArray(results)) throw new Error('the response to a part of a request has another format');
    if (!isBare && (at === 0 || this.#head === undefined)) this.#head = head;
    this.#usage = sum(this.#usage, usage);
    const from = this.#firstResult(at);
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
    return sorted.slice(0, this.#maxResults).map((result) => JSON.stringify(result));
  }
}

/** Adds numbers at any depth. */
function sum(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  if (typeof a === 'number') return a + (typeof b === 'number' ? b : 0);
  if (typeof a !== 'object' || a === null) return a;
  const other = (b ?? {}) as Fields;
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, sum(value, other[name])]));
}
