import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Agent, fetch as undiciFetch } from 'undici';
import { waitFor } from '../harness/wait-for.ts';
import type { Fault } from './faults.ts';
import { type Clients, type Kind, kinds, type Told } from './kinds.ts';
import type { ChaosProduct } from './product.ts';

export interface ChaosPlan {
  readonly clients: number;
  /** How long faults go on, ms; each strikes once at least. */
  readonly forMs: number;
  readonly faults: readonly Fault[];
  /** Between two faults, ms. */
  readonly restMs: number;
  /** Of the SDKs; none where nothing is given. */
  readonly maxRetries?: number;
  /** What may end in an error, by design of these faults. */
  readonly mayFail?: (kind: Kind, error: Error) => boolean;
  readonly onProgress?: (line: string) => void;
}

export interface ChaosReport {
  readonly faults: Readonly<Record<string, number>>;
  readonly served: number;
  /** Characters that were to the letter what they had to be. */
  readonly characters: number;
  readonly endedByDesign: number;
  /** What went wrong, in words; empty where nothing did. */
  readonly failures: readonly string[];
  /** The longest silence of one client, of all the clients, ms. */
  readonly longestPause: number;
  readonly told: { readonly input: number; readonly output: number };
  readonly restarts: number;
  readonly gatewayRss: { readonly before: number; readonly after: number };
  readonly gatewayFiles: { readonly before: number; readonly after: number };
}

/** Clients of the official SDKs, without a retry of theirs, ask on and on while faults strike; every word is verified. */
export async function runChaos(product: ChaosProduct, plan: ChaosPlan): Promise<ChaosReport> {
  const dispatcher = new Agent({ connections: null, keepAliveTimeout: 2000 });
  const { maxRetries = 0, mayFail = breaksByDesign } = plan;
  const clients = clientsOf(product, { apiKey: product.secret, dispatcher, maxRetries });
  const others = clientsOf(product, { apiKey: product.otherSecret, dispatcher, maxRetries });
  const tally = new Tally(await learn(others), mayFail);
  const before = { rss: rssOf(product), files: filesOf(product) };
  let isOver = false;
  const asking = Array.from({ length: plan.clients }, async (_, n) => {
    for (let turn = n; !isOver; turn++) {
      const kind = kinds[turn % kinds.length];
      if (kind) await tally.ask(kind, isSummed(kind) ? clients : others);
    }
  });
  const faults = await strikeOn(product, plan, tally).finally(() => {
    isOver = true;
  });
  await Promise.all(asking);
  await dispatcher.close();
  await atRest(product);
  const { restarts } = await statusOf(product);
  return {
    ...tally.report,
    faults,
    restarts: restarts.engine,
    gatewayRss: { before: before.rss, after: rssOf(product) },
    gatewayFiles: { before: before.files, after: filesOf(product) },
  };
}

async function strikeOn(
  product: ChaosProduct,
  plan: ChaosPlan,
  tally: Tally,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const until = performance.now() + plan.forMs;
  for (let n = 0; n < plan.faults.length || performance.now() < until; n++) {
    const fault = plan.faults[n % plan.faults.length];
    if (!fault) break;
    await sleep(plan.restMs);
    await fault.strike(product).catch((error) => {
      const { exitCode, signalCode } = product.process;
      const lastWords = product.output().slice(-4000);
      throw new Error(
        `${fault.name}: ${error.message} (exit ${exitCode ?? signalCode}); it printed:\n${lastWords}`,
      );
    });
    counts[fault.name] = (counts[fault.name] ?? 0) + 1;
    plan.onProgress?.(
      `${fault.name}: ${tally.report.served} served, ${tally.report.failures.length} failures`,
    );
  }
  return counts;
}

interface ClientOptions {
  readonly apiKey: string;
  readonly dispatcher: Agent;
  readonly maxRetries: number;
}

function clientsOf({ origin }: ChaosProduct, { dispatcher, ...options }: ClientOptions): Clients {
  const fetch = ((url: string, init: object) =>
    undiciFetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;
  return {
    openai: new OpenAI({ baseURL: `${origin}/v1`, fetch, timeout: 600_000, ...options }),
    anthropic: new Anthropic({ baseURL: origin, fetch, timeout: 600_000, ...options }),
  };
}

type Expected = ReadonlyMap<Kind, Told>;

/** What each kind is told while nothing is wrong. */
async function learn(clients: Clients): Promise<Expected> {
  const expected = new Map<Kind, Told>();
  for (const kind of kinds) expected.set(kind, await kind.ask(clients));
  return expected;
}

class Tally {
  readonly #expected: Expected;
  readonly #mayFail: NonNullable<ChaosPlan['mayFail']>;
  readonly #failures: string[] = [];
  #served = 0;
  #characters = 0;
  #endedByDesign = 0;
  #longestPause = 0;
  #input = 0;
  #output = 0;

  constructor(expected: Expected, mayFail: NonNullable<ChaosPlan['mayFail']>) {
    this.#expected = expected;
    this.#mayFail = mayFail;
  }

  get report() {
    return {
      served: this.#served,
      characters: this.#characters,
      endedByDesign: this.#endedByDesign,
      failures: this.#failures,
      longestPause: Math.round(this.#longestPause),
      told: { input: this.#input, output: this.#output },
    };
  }

  async ask(kind: Kind, clients: Clients): Promise<void> {
    try {
      const told = await kind.ask(clients);
      this.#longestPause = Math.max(this.#longestPause, told.longestPause);
      const wrong = differences(kind, told, this.#expected.get(kind));
      if (wrong.length > 0) this.#failures.push(`${kind.name}: ${wrong.join(', ')}`);
      this.#served += 1;
      this.#characters += told.text.length;
      if (!isSummed(kind)) return;
      this.#input += told.input;
      this.#output += told.output;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (this.#mayFail(kind, error)) this.#endedByDesign += 1;
      else this.#failures.push(`${kind.name}: ${error.message}`);
    }
  }
}

/** Of an engine that dies: what is told so in the middle of a thought. */
const breaksByDesign = ({ mayBreak }: Kind, { message }: Error) =>
  mayBreak === true && message.includes('cannot be continued');

/** The same tokens are told and booked, however often it is cut. */
const isSummed = ({ mayBreak, countsVary }: Kind) => !mayBreak && !countsVary;

function differences(kind: Kind, told: Told, expected: Told | undefined): string[] {
  const wrong: string[] = [];
  if (expected === undefined) return ['nothing is known of it'];
  if (told.text !== expected.text) wrong.push(firstDifference(told.text, expected.text));
  for (const name of ['finish', 'input', 'output', 'names'] as const) {
    if (name === 'output' && kind.countsVary) continue;
    if (told[name] !== expected[name]) wrong.push(`${name} ${told[name]} instead of ${expected[name]}`);
  }
  return wrong;
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

async function atRest({ origin }: ChaosProduct): Promise<void> {
  await waitFor('no lease to be out and nobody to wait', async () => {
    const { queue, slots } = (await (await fetch(`${origin}/health`)).json()) as Health;
    return queue.waiting === 0 && slots.busy === 0;
  });
}

async function statusOf({ healthOrigin }: ChaosProduct) {
  return (await (await fetch(`${healthOrigin}/status`)).json()) as {
    restarts: { engine: number; gateway: number };
  };
}

/** Of the gateway, bytes. */
function rssOf(product: ChaosProduct): number {
  const status = readFileSync(`/proc/${product.pidOf('gateway')}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

/** Open files and sockets of the gateway. */
function filesOf(product: ChaosProduct): number {
  return readdirSync(`/proc/${product.pidOf('gateway')}/fd`).length;
}
