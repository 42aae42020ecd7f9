import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { ApiRequest } from '../api/request/parse-request-body.ts';
import { findInputsField, getInputs } from '../api/request-size.ts';
import type { ApiRoute, InputsField } from '../api/route-table.ts';
import type { Usage } from '../api/usage.ts';
import { badGateway } from '../errors/catalogue.ts';
import { ClientResponse, type HeaderFields } from '../http/client-response.ts';
import type { LeaseRequest } from '../scheduler/lease.ts';
import { ClientDisconnected } from '../upstream/failure.ts';
import { finish } from './finish.ts';
import type { ProxyContext } from './proxy-context.ts';
import { proxyRequest } from './proxy-request.ts';
import type { RequestRecord } from './request-record.ts';

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
  if (inputsField === undefined || request.stream || slots === 0 || request.sequences <= slots)
    return undefined;
  const fields = JSON.parse(request.body.toString()) as Fields;
  const inputs = getInputs(inputsField, fields);
  const field = findInputsField(inputsField, fields);
  if (inputs === undefined || field === undefined || inputs.length < 2) return undefined;
  const choices = request.sequences / inputs.length;
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
    sequences: Math.round(request.sequences * share),
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

/**
 * Sends the parts of a batch. Each waits for a lease of its own, so that other requests have their turns between them. The client
 * gets the merged response when all are there. Once the first part was served, the others may queue even if the queue is full.
 */
export async function proxyBatch(
  plan: BatchPlan,
  context: ProxyContext,
  leaseRequest: LeaseRequest,
): Promise<void> {
  const { record, response, keepAlive, rewriter } = context;
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const partRecords: RequestRecord[] = [];
  let head: HeaderFields | undefined;

  async function send(at: number, requeued: boolean): Promise<void> {
    const request = plan.part(at);
    const partRecord: RequestRecord = { ...record, trace: at === 0 ? record.trace : undefined };
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
    sumUsage(record, partRecords);
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
  const preempted = sumOf((part) => part.preempted);
  if (preempted > 0) record.preempted = preempted;
  const discarded = sumOf((part) => part.discardedTokens);
  if (discarded > 0) record.discardedTokens = discarded;
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
