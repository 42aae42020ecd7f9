import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Agent, fetch as undiciFetch } from 'undici';
import { type ProcessUsage, readProcessUsage } from '../harness/process-usage.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Fault } from './faults.ts';
import type { ChaosProduct } from './product.ts';
import { type Clients, type SdkRequest, type SdkResponse, sdkRequests } from './sdk-requests.ts';

export interface ChaosPlan {
  readonly clients: number;
  /** Faults are injected for this long, but each at least once. */
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  /** The pause before each fault. */
  readonly pauseMs: number;
  /** Retries of the SDKs; 0 by default. */
  readonly maxRetries?: number;
  /** Whether a request may fail by design of these faults. */
  readonly mayFail?: (request: SdkRequest, error: Error) => boolean;
  readonly onProgress?: (line: string) => void;
}

export interface ChaosReport {
  readonly faults: Readonly<Record<string, number>>;
  readonly completed: number;
  /** Verified characters. */
  readonly characters: number;
  readonly failedByDesign: number;
  /** A description of each failed or wrong response. */
  readonly failures: readonly string[];
  /** The longest pause in a response of any client, ms. */
  readonly longestPause: number;
  /** The tokens that the responses reported. */
  readonly usage: { readonly input: number; readonly output: number };
  readonly restarts: number;
  readonly gatewayMegabytes: { readonly before: number; readonly after: number };
  readonly gatewayFiles: { readonly before: number; readonly after: number };
}

/** Clients of the official SDKs send requests without a pause while faults are injected; every response is verified. */
export async function runChaos(product: ChaosProduct, plan: ChaosPlan): Promise<ChaosReport> {
  const dispatcher = new Agent({ connections: null, keepAliveTimeout: 2000 });
  const { maxRetries = 0, mayFail = failsByDesign } = plan;
  const clients = createClients(product, { apiKey: product.secret, dispatcher, maxRetries });
  const others = createClients(product, { apiKey: product.otherSecret, dispatcher, maxRetries });
  const tally = new Tally(await recordExpected(others), mayFail);
  const before = gatewayUsage(product);
  let isOver = false;
  const sending = Array.from({ length: plan.clients }, async (_, n) => {
    for (let turn = n; !isOver; turn++) {
      const request = sdkRequests[turn % sdkRequests.length];
      if (request) await tally.send(request, hasExactUsage(request) ? clients : others);
    }
  });
  const faults = await injectFaults(product, plan, tally).finally(() => {
    isOver = true;
  });
  await Promise.all(sending);
  await dispatcher.close();
  await waitUntilIdle(product);
  const [{ restarts }, after] = [await statusOf(product), gatewayUsage(product)];
  return {
    ...tally.report,
    faults,
    restarts: restarts.engine,
    gatewayMegabytes: { before: before.megabytes, after: after.megabytes },
    gatewayFiles: { before: before.files, after: after.files },
  };
}

async function injectFaults(
  product: ChaosProduct,
  plan: ChaosPlan,
  tally: Tally,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const until = performance.now() + plan.durationMs;
  for (let n = 0; n < plan.faults.length || performance.now() < until; n++) {
    const fault = plan.faults[n % plan.faults.length];
    if (!fault) break;
    await sleep(plan.pauseMs);
    await fault.inject(product).catch((error) => {
      const { exitCode, signalCode } = product.process;
      const output = product.output().slice(-4000);
      throw new Error(
        `${fault.name}: ${error.message} (exit ${exitCode ?? signalCode}); its output:\n${output}`,
      );
    });
    counts[fault.name] = (counts[fault.name] ?? 0) + 1;
    plan.onProgress?.(
      `${fault.name}: ${tally.report.completed} completed, ${tally.report.failures.length} failures`,
    );
  }
  return counts;
}

interface ClientOptions {
  readonly apiKey: string;
  readonly dispatcher: Agent;
  readonly maxRetries: number;
}

function createClients({ origin }: ChaosProduct, { dispatcher, ...options }: ClientOptions): Clients {
  // An Agent of undici needs undici's own fetch, whose types differ from those of Node.
  const fetch = ((url: string, init: object) =>
    undiciFetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;
  return {
    openai: new OpenAI({ baseURL: `${origin}/v1`, fetch, timeout: 600_000, ...options }),
    anthropic: new Anthropic({ baseURL: origin, fetch, timeout: 600_000, ...options }),
  };
}

type Expected = ReadonlyMap<SdkRequest, SdkResponse>;

/** The responses of all requests while nothing is wrong. */
async function recordExpected(clients: Clients): Promise<Expected> {
  const expected = new Map<SdkRequest, SdkResponse>();
  for (const request of sdkRequests) expected.set(request, await request.send(clients));
  return expected;
}

class Tally {
  readonly #expected: Expected;
  readonly #mayFail: NonNullable<ChaosPlan['mayFail']>;
  readonly #failures: string[] = [];
  #completed = 0;
  #characters = 0;
  #failedByDesign = 0;
  #longestPause = 0;
  #input = 0;
  #output = 0;

  constructor(expected: Expected, mayFail: NonNullable<ChaosPlan['mayFail']>) {
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
      usage: { input: this.#input, output: this.#output },
    };
  }

  async send(request: SdkRequest, clients: Clients): Promise<void> {
    try {
      const response = await request.send(clients);
      this.#longestPause = Math.max(this.#longestPause, response.longestPause);
      const differences = compare(request, response, this.#expected.get(request));
      if (differences.length > 0) this.#failures.push(`${request.name}: ${differences.join(', ')}`);
      this.#completed += 1;
      this.#characters += response.text.length;
      if (!hasExactUsage(request)) return;
      this.#input += response.input;
      this.#output += response.output;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (this.#mayFail(request, error)) this.#failedByDesign += 1;
      else this.#failures.push(`${request.name}: ${error.message}`);
    }
  }
}

/** If the engine dies while the model thinks, the stream ends with this error. */
const failsByDesign = ({ mayFail }: SdkRequest, { message }: Error) =>
  mayFail === true && message.includes('cannot be continued');

/** Whether its reported usage is the same however often it is interrupted. */
const hasExactUsage = ({ mayFail, outputVaries }: SdkRequest) => !mayFail && !outputVaries;

function compare(request: SdkRequest, response: SdkResponse, expected: SdkResponse | undefined): string[] {
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

interface Health {
  readonly queue: { readonly waiting: number };
  readonly slots: { readonly busy: number };
}

async function waitUntilIdle({ origin }: ChaosProduct): Promise<void> {
  await waitFor('all leases to end and the queue to be empty', async () => {
    const { queue, slots } = (await (await fetch(`${origin}/health`)).json()) as Health;
    return queue.waiting === 0 && slots.busy === 0;
  });
}

async function statusOf({ healthOrigin }: ChaosProduct) {
  return (await (await fetch(`${healthOrigin}/status`)).json()) as {
    restarts: { engine: number; gateway: number };
  };
}

function gatewayUsage(product: ChaosProduct): ProcessUsage {
  const pid = product.pidOf('gateway');
  if (pid === undefined) throw new Error('the gateway does not run');
  return readProcessUsage(pid);
}
