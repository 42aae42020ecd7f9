import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Usage } from '../api/usage.ts';
import { badGateway } from '../errors/catalogue.ts';
import { ClientResponse } from '../http/client-response.ts';
import type { LeaseRequest } from '../scheduler/scheduler.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import { finish } from './finish.ts';
import type { BatchPlan } from './plan-batch.ts';
import type { ProxyContext } from './proxy-context.ts';
import { proxyRequest } from './proxy-request.ts';
import type { RequestRecord } from './request-record.ts';

/**
 * Sends the parts of a batch. Each waits for a lease of its own, so that other requests have their turns between them. The client
 * gets the merged response when all are there. Once the first part was served, the others may queue even if the queue is full.
 */
export async function proxyBatch(
  plan: BatchPlan,
  context: ProxyContext,
  leaseRequest: LeaseRequest,
): Promise<void> {
  const { record, response, keepAlive } = context;
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const partRecords: RequestRecord[] = [];
  let head: OutgoingHttpHeaders | undefined;

  async function send(at: number, requeued: boolean): Promise<void> {
    const request = plan.part(at);
    const partRecord: RequestRecord = { ...record, trace: at === 0 ? record.trace : undefined };
    const buffered = new BufferedResponse();
    const part = {
      ...context,
      request,
      record: partRecord,
      keepAlive: undefined,
      response: buffered,
      signal,
    };
    partRecords.push(partRecord);
    const proxied = await proxyRequest(part, { ...leaseRequest, slots: request.weight, signal, requeued });
    finish(part, proxied);
    if (proxied.result.outcome !== 'complete') throw new ClientDisconnected('the client left');
    head ??= buffered.head;
    addToResponse(at, buffered.text);
  }
  function addToResponse(at: number, text: string): void {
    try {
      plan.response.add(at, text);
    } catch (error) {
      throw badGateway(error);
    }
  }
  let next = 1;
  async function sendOthers(): Promise<void> {
    while (next < plan.count) await send(next++, true);
  }

  keepAlive?.start();
  try {
    await send(0, leaseRequest.requeued ?? false);
    await allOrFirstFailure(Array.from({ length: plan.atOnce }, sendOthers), failed);
  } finally {
    sumUsage(record, partRecords);
  }
  const body = plan.response.toBuffer();
  record.bytesOut = body.length;
  record.firstByteAt = performance.now();
  keepAlive?.stop();
  if (!response.headersSent) response.writeHead(200, { ...head, 'content-length': body.length });
  response.end(body);
}

/** If one fails, the others are aborted, and have ended when this throws. */
async function allOrFirstFailure(works: readonly Promise<void>[], failed: AbortController): Promise<void> {
  let failure: unknown;
  const watched = works.map((work) =>
    work.catch((error) => {
      failure ??= error;
      failed.abort(new ClientDisconnected('another part has failed'));
    }),
  );
  await Promise.all(watched);
  if (failure !== undefined) throw failure;
}

/** Takes the response to one part in place of the client. */
class BufferedResponse extends ClientResponse {
  readonly #chunks: Buffer[] = [];
  head: OutgoingHttpHeaders | undefined;

  constructor() {
    // Nothing is ever written to it, so it looks like a client that keeps up.
    super(new ServerResponse(new IncomingMessage(new Socket())));
  }

  override get headersSent(): boolean {
    return this.head !== undefined;
  }

  override writeHead(_: number, headers: OutgoingHttpHeaders): void {
    this.head = headers;
  }

  override flushHead(): void {}

  override write(bytes: Buffer): boolean {
    this.#chunks.push(bytes);
    return true;
  }

  override end(bytes?: Buffer): void {
    if (bytes !== undefined) this.#chunks.push(bytes);
  }

  override destroy(): void {}

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

/** Writes into the record of a batch what its parts have cost, including what is still being counted. */
function sumUsage(record: RequestRecord, parts: readonly RequestRecord[]): void {
  const [first] = parts;
  const sumOf = (get: (part: RequestRecord) => number | undefined) =>
    parts.reduce((sum, part) => sum + (get(part) ?? 0), 0);
  // The parts wait side by side, and the client waits for the first of them.
  if (first?.queuedMs !== undefined) record.queuedMs = first.queuedMs;
  record.computeMs = sumOf(({ computeMs }) => computeMs);
  const machineMs = sumOf(({ computeMs = 0, machineShare = 0 }) => computeMs * machineShare);
  if (record.computeMs > 0) record.machineShare = machineMs / record.computeMs;
  const retries = sumOf((part) => part.retries);
  if (retries > 0) record.retries = retries;
  const digest = parts.find((part) => part.digest !== undefined)?.digest;
  if (digest !== undefined) record.digest = digest;
  const usage = addUsages(parts);
  if (usage === undefined) return;
  record.usage = usage;
  if (parts.every(({ pendingUsage }) => pendingUsage === undefined)) return;
  record.pendingUsage = Promise.all(parts.map((part) => part.pendingUsage)).then(() => {
    record.usage = addUsages(parts) ?? usage;
  });
  record.usageCorrection = Promise.all(parts.map(({ usageCorrection = 0 }) => usageCorrection)).then(
    (corrections) => corrections.reduce((sum, correction) => sum + correction, 0),
  );
}

function addUsages(parts: readonly RequestRecord[]): Usage | undefined {
  const known = parts.flatMap(({ usage }) => usage ?? []);
  if (known.length === 0) return undefined;
  return known.reduce((a, b) => ({
    input: a.input + b.input,
    cached: a.cached + b.cached,
    output: a.output + b.output,
  }));
}
