import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Agent, fetch as undiciFetch } from 'undici';
import { type ProcessUsage, readProcessUsage } from '../harness/process-usage.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Fault } from './faults.ts';
import type { ChaosProduct } from './product.ts';
import { Absences, type ChaosRequest, failsByDesign, requestsOf } from './requests.ts';
import { hasExactUsage, recordExpected, type Sdks, Tally, type Tokens } from './tally.ts';

export interface ChaosPlan {
  readonly clients: number;
  /** All those of the SDKs to the demo model by default. */
  readonly requests?: readonly ChaosRequest[];
  /** Faults are injected for this long, but each at least once. */
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  /** The pause before each fault. */
  readonly pauseMs: number;
  /** Retries of the SDKs; 0 by default. */
  readonly maxRetries?: number;
  /** Whether a request may fail by design of these faults, while no model is away. */
  readonly mayFail?: (request: ChaosRequest, error: Error) => boolean;
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
  readonly usage: Tokens;
  readonly usageByModel: Readonly<Record<string, Tokens>>;
  readonly restarts: number;
  readonly gatewayMegabytes: { readonly before: number; readonly after: number };
  readonly gatewayFiles: { readonly before: number; readonly after: number };
}

/** Clients of the official SDKs send requests without a pause while faults are injected; every response is verified. */
export async function runChaos(product: ChaosProduct, plan: ChaosPlan): Promise<ChaosReport> {
  const dispatcher = new Agent({ connections: null, keepAliveTimeout: 2000 });
  const { maxRetries = 0, mayFail = failsByDesign, requests = requestsOf('demo') } = plan;
  const clients = createClients(product, { apiKey: product.secret, dispatcher, maxRetries });
  const others = createClients(product, { apiKey: product.otherSecret, dispatcher, maxRetries });
  const absences = new Absences();
  const tally = new Tally(
    await recordExpected(others, requests),
    (request, error, sentAt) => mayFail(request, error) || absences.explain(request, error, sentAt),
  );
  const before = gatewayUsage(product);
  let isOver = false;
  const sending = Array.from({ length: plan.clients }, async (_, n) => {
    for (let turn = n; !isOver; turn++) {
      const request = requests[turn % requests.length];
      if (request) await tally.send(request, hasExactUsage(request) ? clients : others);
    }
  });
  const faults = await injectFaults(product, plan, { tally, absences }).finally(() => {
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
  { tally, absences }: { readonly tally: Tally; readonly absences: Absences },
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const until = performance.now() + plan.durationMs;
  for (let n = 0; n < plan.faults.length || performance.now() < until; n++) {
    const fault = plan.faults[n % plan.faults.length];
    if (!fault) break;
    await sleep(plan.pauseMs);
    if (fault.takesAway !== undefined) absences.begin(fault.takesAway);
    await fault.inject(product).catch((error) => {
      const { exitCode, signalCode } = product.process;
      const output = product.output().slice(-4000);
      throw new Error(
        `${fault.name}: ${error.message} (exit ${exitCode ?? signalCode}); its output:\n${output}`,
      );
    });
    if (fault.takesAway !== undefined) absences.end(fault.takesAway);
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

function createClients({ origin }: ChaosProduct, { dispatcher, ...options }: ClientOptions): Sdks {
  // An Agent of undici needs undici's own fetch, whose types differ from those of Node.
  const fetch = ((url: string, init: object) =>
    undiciFetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;
  return {
    openai: new OpenAI({ baseURL: `${origin}/v1`, fetch, timeout: 600_000, ...options }),
    anthropic: new Anthropic({ baseURL: origin, fetch, timeout: 600_000, ...options }),
  };
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
  const pid = product.gatewayPid();
  if (pid === undefined) throw new Error('the gateway does not run');
  return readProcessUsage(pid);
}
