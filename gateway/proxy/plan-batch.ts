import type { ApiRequest } from '../api/parse-request-body.ts';
import { findInputsField, getInputs } from '../api/request-size.ts';
import type { ApiRoute, InputsField } from '../api/route-table.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A request with many inputs, split into parts. */
export interface BatchPlan {
  readonly count: number;
  /** How many parts at once need no more than the slots there are. */
  readonly atOnce: number;
  part(at: number): ApiRequest;
  readonly response: BatchResponse;
}

/**
 * Undefined if a request fits the slots as it is, or its response cannot be merged. llama-server runs the inputs of one
 * request in a row, and all other requests would wait for the last of them.
 */
export function planBatch(route: ApiRoute, request: ApiRequest, slots: number): BatchPlan | undefined {
  const { inputsField, generates } = route;
  if (inputsField === undefined || request.stream || slots === 0 || request.weight <= slots) return undefined;
  const fields = JSON.parse(request.body.toString()) as Fields;
  const inputs = getInputs(inputsField, fields);
  const field = findInputsField(inputsField, fields);
  if (inputs === undefined || field === undefined || inputs.length < 2) return undefined;
  const choices = request.weight / inputs.length;
  if (choices > slots || !canBeMerged(inputsField, fields)) return undefined;
  // Generation takes its time; texts that are only read are so short that a request for each would cost more.
  const perPart = generates ? 1 : slots;
  return {
    count: Math.ceil(inputs.length / perPart),
    atOnce: generates ? Math.floor(slots / choices) : 1,
    part(at) {
      const some = inputs.slice(at * perPart, (at + 1) * perPart);
      const partFields = { ...withoutWholeFields(fields), [field]: generates ? some[0] : some };
      return createPart(request, partFields, some.length / inputs.length);
    },
    response: new BatchResponse(route, fields, perPart * choices),
  };
}

/** Some fields change the format of the response, or are invalid. */
function canBeMerged(inputsField: InputsField, { top_n, response_fields, verbose }: Fields) {
  if (inputsField === 'documents')
    return top_n === undefined || top_n === null || (Number.isInteger(top_n) && Number(top_n) >= 0);
  return !response_fields && !verbose;
}

/** Without the fields that ask for a stream, and for a part of the ranking. */
function withoutWholeFields({ stream: _, stream_options: __, top_n: ___, ...fields }: Fields) {
  return fields;
}

function createPart(request: ApiRequest, fields: object, share: number): ApiRequest {
  const { input, inputs, completions } = request.estimate;
  return {
    ...request,
    aggregation: undefined,
    weight: Math.round(request.weight * share),
    estimate: {
      ...request.estimate,
      input: Math.ceil(input * share),
      inputs: Math.round(inputs * share),
      completions: Math.round(completions * share),
    },
    body: Buffer.from(JSON.stringify(fields)),
  };
}

interface Result extends Fields {
  readonly index: number;
}

/** Merges the responses to the parts into the one that llama-server gives to the whole request. */
export class BatchResponse {
  readonly #list: string;
  readonly #isRanking: boolean;
  readonly #maxResults: number;
  readonly #resultsPerPart: number;
  /** Of each part, as JSON without its brackets; of a ranking as objects, to be sorted. */
  readonly #results: (string | readonly Result[])[] = [];
  #head: Fields | undefined;
  #usage: unknown;

  /** Each part but the last has `resultsPerPart` results. */
  constructor({ inputsField, generates }: ApiRoute, { top_n }: Fields, resultsPerPart: number) {
    this.#isRanking = inputsField === 'documents';
    this.#list = generates ? 'choices' : this.#isRanking ? 'results' : 'data';
    this.#maxResults = typeof top_n === 'number' ? top_n : Number.POSITIVE_INFINITY;
    this.#resultsPerPart = resultsPerPart;
  }

  /** Adds the response to one part; throws if it has another format. */
  add(at: number, text: string): void {
    const response: unknown = JSON.parse(text);
    const { [this.#list]: listed, usage, ...head } = response as Fields;
    const isBare = listed === undefined;
    const results = (isBare ? [response].flat() : listed) as readonly Fields[];
    if (!Array.isArray(results)) throw new Error('the response to a part of a batch has another format');
    if (!isBare && (at === 0 || this.#head === undefined)) this.#head = head;
    this.#usage = sum(this.#usage, usage);
    const from = at * this.#resultsPerPart;
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
