import type { ChaosRequest } from './requests.ts';
import type { Clients, SdkResponse } from './sdk-requests.ts';

export type Sdks = Omit<Clients, 'model'>;

export interface Tokens {
  readonly input: number;
  readonly output: number;
}

interface Answer extends SdkResponse {
  /** The model that gives it. */
  readonly model: string;
}

type Expected = ReadonlyMap<ChaosRequest, readonly Answer[]>;

/** The responses of all requests while nothing is wrong, model by model. */
export async function recordExpected(sdks: Sdks, requests: readonly ChaosRequest[]): Promise<Expected> {
  const expected = new Map(requests.map((request) => [request, [] as Answer[]]));
  const models = new Set(requests.flatMap(({ targets }) => targets));
  for (const model of models) {
    const known = new Map<string, SdkResponse>();
    for (const [request, answers] of expected) {
      if (!request.targets.includes(model)) continue;
      const response = known.get(request.name) ?? (await request.send({ ...sdks, model }));
      known.set(request.name, response);
      answers.push({ ...response, model });
    }
  }
  return expected;
}

/** Whether a request that was sent at `sentAt`, of `performance.now`, may fail like this. */
type MayFail = (request: ChaosRequest, error: Error, sentAt: number) => boolean;

/** Compares responses with those expected, and counts. */
export class Tally {
  readonly #expected: Expected;
  readonly #mayFail: MayFail;
  readonly #failures: string[] = [];
  readonly #usage = new Map<string, Tokens>();
  #completed = 0;
  #characters = 0;
  #failedByDesign = 0;
  #longestPause = 0;

  constructor(expected: Expected, mayFail: MayFail) {
    this.#expected = expected;
    this.#mayFail = mayFail;
  }

  get report() {
    return {
      completed: this.#completed,
      characters: this.#characters,
      failedByDesign: this.#failedByDesign,
      failures: this.#failures,
      longestPause: Math.round(this.#longestPause),
      usage: [...this.#usage.values()].reduce(add, noTokens),
      usageByModel: Object.fromEntries(this.#usage),
    };
  }

  async send(request: ChaosRequest, sdks: Sdks): Promise<void> {
    const name = `${request.model}, ${request.name}`;
    const sentAt = performance.now();
    try {
      const response = await request.send({ ...sdks, model: request.model });
      this.#longestPause = Math.max(this.#longestPause, response.longestPause);
      const answers = this.#expected.get(request) ?? [];
      const answer = answers.find(({ text }) => text === response.text) ?? answers[0];
      const differences = compare(request, response, answer);
      if (differences.length > 0) this.#failures.push(`${name}: ${differences.join(', ')}`);
      this.#completed += 1;
      this.#characters += response.text.length;
      if (!answer || !hasExactUsage(request)) return;
      this.#usage.set(answer.model, add(this.#usage.get(answer.model) ?? noTokens, response));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (this.#mayFail(request, error, sentAt)) this.#failedByDesign += 1;
      else this.#failures.push(`${name}: ${error.message}`);
    }
  }
}

const noTokens: Tokens = { input: 0, output: 0 };
const add = (a: Tokens, b: Tokens): Tokens => ({ input: a.input + b.input, output: a.output + b.output });

/** Whether its reported usage is the same however often it is interrupted. */
export const hasExactUsage = ({ mayFail, outputVaries }: ChaosRequest) => !mayFail && !outputVaries;

function compare(request: ChaosRequest, response: SdkResponse, expected: SdkResponse | undefined): string[] {
  const differences: string[] = [];
  if (expected === undefined) return ['no expected response'];
  if (response.text !== expected.text) differences.push(firstDifference(response.text, expected.text));
  for (const name of ['finish', 'input', 'output', 'ids'] as const) {
    if (name === 'output' && request.outputVaries) continue;
    if (response[name] !== expected[name])
      differences.push(`${name} ${response[name]} instead of ${expected[name]}`);
  }
  return differences;
}

function firstDifference(text: string, expected: string): string {
  const at = [...text].findIndex((character, n) => character !== [...expected][n]);
  const from = Math.max(0, (at === -1 ? text.length : at) - 20);
  return `text of ${text.length} characters instead of ${expected.length}: …${JSON.stringify(text.slice(from, from + 60))}`;
}
