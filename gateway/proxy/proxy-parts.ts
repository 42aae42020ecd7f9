import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { toAbortSignal } from '../cancellation.ts';
import { badGateway } from '../errors/catalogue.ts';
import { ClientResponse, type HeaderFields } from '../http/client-response.ts';
import type { LeaseRequest } from '../scheduler/lease.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import { reportBatchSlots } from './attempt.ts';
import { finish } from './finish.ts';
import { recordParts } from './part-records.ts';
import type { ProxyContext } from './proxy-context.ts';
import { proxyRequest } from './proxy-request.ts';
import type { RequestRecord } from './request-record.ts';
import type { SplitPlan } from './split-plan.ts';

/**
 * Sends the parts of a request. Each waits for a lease of its own, so that other requests have their turns between them. The client
 * gets the merged response when all are there. Once the first part was served, the others may queue even if the queue is full.
 */
export async function proxyParts(
  plan: SplitPlan,
  context: ProxyContext,
  leaseRequest: LeaseRequest,
): Promise<void> {
  const { record, response, keepAlive, rewriter } = context;
  const failed = new AbortController();
  const signal = AbortSignal.any([toAbortSignal(context.signal), failed.signal]);
  const partRecords: RequestRecord[] = [];
  record.parts = partRecords;
  let head: HeaderFields | undefined;

  async function send(at: number, requeued: boolean): Promise<void> {
    const request = plan.part(at);
    const partRecord: RequestRecord = {
      ...record,
      parts: undefined,
      trace: at === 0 ? record.trace : undefined,
    };
    const buffered = new BufferedResponse();
    const part = {
      ...context,
      request,
      record: partRecord,
      keepAlive: undefined,
      // It is for the whole response.
      rewriter: undefined,
      response: buffered,
      signal,
    };
    partRecords.push(partRecord);
    const proxied = await proxyRequest(part, { ...leaseRequest, slots: request.sequences, signal, requeued });
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
    recordParts(record, partRecords);
    // The responses to the parts had it, too.
    if (context.isBatch) reportBatchSlots(context);
  }
  const merged = plan.response.toBuffer();
  const body = rewriter?.rewriteBody(merged) ?? merged;
  record.bytesOut = body.length;
  record.firstByteAt = performance.now();
  keepAlive?.stop();
  if (!response.headersSent) response.writeHead(200, { ...head, 'content-length': body.length });
  response.end(body);
}

/** If one fails, the others are aborted, and have ended when this throws. */
async function allOrFirstFailure(works: readonly Promise<void>[], failed: AbortController): Promise<void> {
  let failure: unknown;
  const settled = works.map((work) =>
    work.catch((error) => {
      failure ??= error;
      failed.abort(new ClientDisconnected('another part has failed'));
    }),
  );
  await Promise.all(settled);
  if (failure !== undefined) throw failure;
}

/** Takes the response to one part in place of the client. */
class BufferedResponse extends ClientResponse {
  readonly #chunks: Buffer[] = [];
  head: HeaderFields | undefined;

  constructor() {
    // Nothing is ever written to it, so it looks like a client that keeps up.
    super(new ServerResponse(new IncomingMessage(new Socket())));
  }

  override get headersSent(): boolean {
    return this.head !== undefined;
  }

  override writeHead(_: number, headers: HeaderFields): void {
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
