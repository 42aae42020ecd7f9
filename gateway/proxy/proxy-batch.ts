import type { OutgoingHttpHeaders } from 'node:http';
import { badGateway } from '../errors/catalogue.ts';
import type { LeaseRequest } from '../scheduler/scheduler.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import { BufferedResponse } from './buffered-response.ts';
import { finish } from './finish.ts';
import type { BatchPlan } from './plan-batch.ts';
import type { ProxyContext } from './proxy-context.ts';
import { RetryLoop } from './proxy-request.ts';
import { recordResult } from './record-result.ts';
import type { RequestRecord } from './request-record.ts';
import { sumUsageOfParts } from './sum-usage-of-parts.ts';

/**
 * The middle of the way of a batch: each part waits for a lease of its own, so that others have their turns between them,
 * and the answer goes to the client when all are there. Once the first has been served the others find room in the line.
 */
export async function proxyBatch(plan: BatchPlan, sending: ProxyContext, claim: LeaseRequest): Promise<void> {
  const { record, response, keepAlive } = sending;
  const failed = new AbortController();
  const signal = AbortSignal.any([sending.signal, failed.signal]);
  const done: RequestRecord[] = [];
  let head: OutgoingHttpHeaders | undefined;

  async function send(at: number, again: boolean): Promise<void> {
    const request = plan.part(at);
    const own: RequestRecord = { ...record, trace: at === 0 ? record.trace : undefined };
    const collected = new BufferedResponse();
    const part = { ...sending, request, record: own, keepAlive: undefined, response: collected, signal };
    done.push(own);
    const answered = await new RetryLoop(part, {
      ...claim,
      slots: request.weight,
      signal,
      requeued: again,
    }).run();
    recordResult(own, answered, sending.services.abandonedInput);
    finish(own, answered, sending.services.watch);
    if (answered.result.outcome !== 'complete') throw new ClientDisconnected('the client left');
    head ??= collected.head;
    add(at, collected.text);
  }
  function add(at: number, text: string): void {
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
    await send(0, claim.requeued ?? false);
    await allOrFirstFailure(Array.from({ length: plan.atOnce }, sendOthers), failed);
  } finally {
    sumUsageOfParts(record, done);
  }
  const body = plan.response.toBuffer();
  record.bytesOut = body.length;
  record.firstByteAt = performance.now();
  keepAlive?.stop();
  if (!response.headersSent) response.writeHead(200, { ...head, 'content-length': body.length });
  response.end(body);
}

/** Where one fails the others are broken off, and have ended when this throws. */
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
