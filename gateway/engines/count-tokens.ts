import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { type BackendResponse, requestBackend } from '../../health/request-backend.ts';
import type { ApiRequest } from '../api/request/parse-request-body.ts';
import { findInputsField, getInputs } from '../api/request-size.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { type Quarantine, TrackedRequest } from '../scheduler/quarantine.ts';

export interface CountingContext {
  readonly quarantine: Quarantine;
  readonly backend: Backend;
  readonly monitor: BackendMonitor;
  /** Aborts when the gateway ends. */
  readonly ended: AbortSignal;
  /** How long a count may take, ms. */
  readonly timeoutMs?: number;
}

/**
 * The tokens of a request's input, counted by the backend itself (`countPath` of the route table) without a slot; undefined if
 * it cannot count them. Exact: the same code reads the same body.
 */
export async function countInputTokens(
  context: CountingContext,
  route: ApiRoute,
  body: Buffer,
): Promise<number | undefined> {
  const { countPath } = route;
  if (countPath === undefined) return undefined;
  const { quarantine } = context;
  const tracked = new TrackedRequest(body);
  const countBody = withModelForRouter(context, createCountBody(route, body), body);
  const { outcome, tokens } = await count(context, countPath, countBody);
  if (outcome === 'responded') quarantine.counted(tracked);
  else if (outcome === 'unreachable') await quarantine.connectionLost(tracked, 0);
  else if (outcome === 'timed-out') quarantine.abandoned(tracked);
  return tokens;
}

/** For counts that are not necessary: a body that may have crashed the engine is not counted. */
export async function countInputUnlessSuspect(
  context: CountingContext,
  route: ApiRoute,
  body: Buffer,
): Promise<number | undefined> {
  return context.quarantine.isSuspect(body) ? undefined : countInputTokens(context, route, body);
}

/** The tokens of a text that the backend has generated; undefined if it cannot count them. */
export async function countTextTokens(
  context: CountingContext,
  text: string,
  model: string | undefined,
): Promise<number | undefined> {
  const body = { content: text, add_special: false, parse_special: true };
  const { tokens } = await count(context, '/tokenize', context.monitor.isRouter ? { ...body, model } : body);
  return tokens;
}

function withModelForRouter(
  { monitor }: CountingContext,
  countBody: Buffer | object,
  body: Buffer,
): Buffer | object {
  if (!monitor.isRouter || Buffer.isBuffer(countBody)) return countBody;
  return { ...countBody, model: (JSON.parse(body.toString()) as { readonly model?: unknown }).model };
}

interface Count {
  readonly outcome: BackendResponse['outcome'] | 'not-requested';
  readonly tokens: number | undefined;
}

async function count(
  { backend, monitor, ended, timeoutMs = 2000 }: CountingContext,
  path: string,
  body: Buffer | object,
): Promise<Count> {
  if (monitor.status !== 'ready') return { outcome: 'not-requested', tokens: undefined };
  const response = await requestBackend(backend, { path, body, timeoutMs, signal: ended });
  const tokens = response.outcome === 'responded' ? readTokens(response.body) : undefined;
  return { outcome: response.outcome, tokens };
}

function readTokens(body: string): number | undefined {
  try {
    const { input_tokens, tokens } = JSON.parse(body) as { input_tokens?: unknown; tokens?: unknown };
    if (typeof input_tokens === 'number') return input_tokens;
    return Array.isArray(tokens) ? tokens.length : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The body for the counting route. Most take the request's own; `/tokenize` takes all inputs as one list of texts and tokens,
 * with special tokens added and parsed as for the first of them.
 */
function createCountBody({ countPath, inputsField }: ApiRoute, body: Buffer): Buffer | object {
  if (countPath !== '/tokenize' || inputsField === undefined) return body;
  const fields = JSON.parse(body.toString()) as Readonly<Record<string, unknown>>;
  const inputs = getInputs(inputsField, fields) ?? [];
  const isReranking = inputsField === 'documents' && findInputsField(inputsField, fields) !== undefined;
  const content = isReranking ? inputs.flatMap((text) => [fields.query, text]) : inputs;
  return { content: content.flatMap(flattenInput), add_special: true, parse_special: true };
}

/** The texts and tokens of an input in any of its forms. */
function flattenInput(input: unknown): readonly unknown[] {
  if (Array.isArray(input)) return input.flatMap(flattenInput);
  if (typeof input === 'string' || Number.isInteger(input)) return [input];
  const { prompt_string: text } = (input ?? {}) as { prompt_string?: unknown };
  return text === undefined ? [] : flattenInput(text);
}

/** Bytes of bodies that wait to be counted. For bodies beyond that the estimate stands. */
const MAX_WAITING = 32 * 1024 ** 2;
/** How long one count may take, ms: an engine that tokenizes large bodies for others is slow at it. */
const COUNT_TIMEOUT = 15_000;
/** How long the recording of usage waits for a count, ms. */
const SOON = 1000;

export interface InputCount {
  /** Known within a second: counted, or estimated. */
  readonly soon: Promise<number>;
  /** What to add to that once the tokens are counted; negative if the estimate was too high. */
  readonly correction: Promise<number>;
}

const zero: InputCount = { soon: Promise.resolve(0), correction: Promise.resolve(0) };

/**
 * Counts the input of requests that were broken off before the backend reported their tokens. The backend counts the same body
 * itself, so the count is exact. One at a time, off the path of requests. Until a count is there, and if there is none,
 * the estimate made at arrival stands, but never more than the context.
 */
export class AbandonedInputCounter {
  readonly #context: CountingContext;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(context: CountingContext) {
    this.#context = context;
  }

  count(route: ApiRoute, request: ApiRequest): InputCount {
    if (route.countPath === undefined) return zero;
    const estimate = Math.min(request.estimate.input, this.#contextPerSlot * request.estimate.inputs);
    const counted = this.#count(route, request).then((tokens) => tokens ?? estimate);
    const soon = Promise.race([counted, sleep(SOON, estimate, { ref: false })]);
    return { soon, correction: Promise.all([counted, soon]).then(([tokens, first]) => tokens - first) };
  }

  get #contextPerSlot(): number {
    return this.#context.monitor.props?.contextPerSlot ?? Number.POSITIVE_INFINITY;
  }

  /** Never rejects: after a failure the next one is counted. */
  #count(route: ApiRoute, request: ApiRequest): Promise<number | undefined> {
    const { body } = request;
    if (this.#waiting + body.length > MAX_WAITING) return Promise.resolve(undefined);
    this.#waiting += body.length;
    const counted = this.#last
      .then(() => countInputUnlessSuspect({ ...this.#context, timeoutMs: COUNT_TIMEOUT }, route, body))
      .catch(() => undefined)
      .then((tokens) => {
        this.#waiting -= body.length;
        return tokens === undefined || this.#isServed(tokens, route, request) ? tokens : 0;
      });
    this.#last = counted;
    return counted;
  }

  /** The engine declines what does not fit the context, which costs nothing. */
  #isServed(tokens: number, { generates }: ApiRoute, { sequences }: ApiRequest): boolean {
    return !generates || sequences > 1 || tokens < this.#contextPerSlot;
  }
}
