import type { OutgoingHttpHeaders } from 'node:http';
import type { Claim } from '../admission/admission.ts';
import { CollectedResponse } from '../batches/collected-response.ts';
import type { BatchPlan } from '../batches/plan-batch.ts';
import type { RequestRecord } from '../record/request-record.ts';
import { badGateway } from '../refusal/catalogue.ts';
import { ClientGone } from '../upstream/failure.ts';
import { addUsageOfParts } from './add-usage-of-parts.ts';
import { Journey } from './journey.ts';
import { noteAnswer } from './note-answer.ts';
import type { Sending } from './sending.ts';
import { settle } from './settle.ts';

/**
 * The middle of the way of a batch: each part waits for a lease of its own, so that others have their turns between them,
 * and the answer goes to the client when all are there. Once the first has been served the others find room in the line.
 */
export async function carryInParts(plan: BatchPlan, sending: Sending, claim: Claim): Promise<void> {
  const { record, response, pacemaker } = sending;
  const failed = new AbortController();
  const signal = AbortSignal.any([sending.signal, failed.signal]);
  const done: RequestRecord[] = [];
  let head: OutgoingHttpHeaders | undefined;

  async function send(at: number, again: boolean): Promise<void> {
    const request = plan.part(at);
    const own: RequestRecord = { ...record, trace: at === 0 ? record.trace : undefined };
    const collected = new CollectedResponse();
    const part = { ...sending, request, record: own, pacemaker: undefined, response: collected, signal };
    done.push(own);
    const answered = await new Journey(part, { ...claim, weight: request.weight, signal, again }).complete();
    noteAnswer(own, answered, sending.parts.abandoned);
    settle(own, answered, sending.parts.watch);
    if (answered.ending.outcome !== 'complete') throw new ClientGone('the client left');
    head ??= collected.head;
    add(at, collected.text);
  }
  function add(at: number, text: string): void {
    try {
      plan.answer.add(at, text);
    } catch (error) {
      throw badGateway(error);
    }
  }
  let next = 1;
  async function sendOthers(): Promise<void> {
    while (next < plan.count) await send(next++, true);
  }

  pacemaker?.start();
  try {
    await send(0, claim.again ?? false);
    await allOrFirstFailure(Array.from({ length: plan.atOnce }, sendOthers), failed);
  } finally {
    addUsageOfParts(record, done);
  }
  const body = plan.answer.whole();
  record.bytesOut = body.length;
  record.firstByteAt = performance.now();
  pacemaker?.stop();
  if (!response.headersSent) response.begin(200, { ...head, 'content-length': body.length });
  response.end(body);
}

/** Where one fails the others are broken off, and have ended when this throws. */
async function allOrFirstFailure(works: readonly Promise<void>[], failed: AbortController): Promise<void> {
  let failure: unknown;
  const watched = works.map((work) =>
    work.catch((error) => {
      failure ??= error;
      failed.abort(new ClientGone('another part has failed'));
    }),
  );
  await Promise.all(watched);
  if (failure !== undefined) throw failure;
}
