import type { EventAggregator } from '../aggregation.ts';
import type { EchoedFields } from './echoed-fields.ts';

/** The object of the Responses API, as far as it is read here. */
export interface ResponseObject {
  readonly status?: string | undefined;
  readonly output?: readonly OutputItem[];
  readonly usage?: ResponseUsage | null;
  readonly [field: string]: unknown;
}

interface ResponseUsage {
  readonly output_tokens?: number;
  readonly input_tokens_details?: object;
  readonly [field: string]: unknown;
}

export interface OutputItem {
  readonly type: string;
  readonly id?: string;
  readonly status?: string;
  readonly [field: string]: unknown;
}

/** What is known of a response before the engine sends anything. */
export interface ResponseContext {
  readonly model: string;
  /** Unix time, seconds. */
  readonly createdAt: number;
  readonly echoed: EchoedFields;
  /** The id under which it is sent and stored; undefined to keep that of the engine. */
  readonly id?: string | undefined;
  /** Unix time, seconds; by default that of the system. */
  readonly now?: () => number;
}

/**
 * A response with every field that OpenAI requires. `usage` comes after everything that the client wrote itself: the counts
 * are read from the end of the response (usage.ts), and no client may forge them.
 */
export function completeResponse(context: ResponseContext, engine: ResponseObject): ResponseObject {
  const response = wasCutOff(context, engine) ? { ...engine, ...incompleteFields(engine) } : engine;
  const { createdAt, model, echoed, now = unixTime } = context;
  const { usage, output } = response;
  const completed: Record<string, unknown> = {
    id: response.id,
    object: response.object,
    status: response.status,
    output: [],
    error: null,
    incomplete_details: null,
    access_programs: null,
    ...echoed,
  };
  addEngineFields(completed, response, echoed);
  completed.id = context.id ?? response.id;
  completed.output = output?.map((item) => completeItem(item, 'completed')) ?? [];
  completed.created_at = createdAt;
  completed.completed_at = response.status === 'completed' ? Math.max(createdAt, now()) : null;
  completed.model = model;
  completed.usage = usage ? completeUsage(usage) : null;
  return completed;
}

/** What the client asked for, or has received, does not depend on the engine; the engine may set what was left open. */
function addEngineFields(to: Record<string, unknown>, response: ResponseObject, echoed: EchoedFields): void {
  for (const name in response)
    if (name !== 'usage' && (echoed[name as keyof EchoedFields] ?? null) === null) to[name] = response[name];
}

/** Seconds. */
export const unixTime = () => Math.floor(Date.now() / 1000);

/** llama-server omits the status of some items. */
export function completeItem(item: OutputItem, status: string): OutputItem {
  return item.status === undefined ? { ...item, status } : item;
}

/** Writing to the cache costs nothing here, but the types of OpenAI's SDKs require the field. */
function completeUsage(usage: ResponseUsage) {
  const details = { cached_tokens: 0, cache_write_tokens: 0, ...usage.input_tokens_details };
  return { output_tokens_details: { reasoning_tokens: 0 }, ...usage, input_tokens_details: details };
}

/**
 * llama-server reports `completed` for a response that it cut off, too. A response that ended by itself with the last token
 * allowed looks the same and counts as cut off: a needless warning is better than half a response taken for a complete one.
 */
function wasCutOff({ echoed }: ResponseContext, { status, usage }: ResponseObject): boolean {
  const limit = echoed.max_output_tokens;
  return (
    status === 'completed' && typeof limit === 'number' && limit >= 0 && (usage?.output_tokens ?? 0) >= limit
  );
}

function incompleteFields({ output = [] }: ResponseObject) {
  const last = output.at(-1);
  return {
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: last ? [...output.slice(0, -1), { ...last, status: 'incomplete' }] : output,
  };
}

interface FinalEvent {
  readonly type?: string;
  readonly response?: FinalResponse;
}

interface FinalResponse {
  readonly created_at?: number;
  readonly output?: readonly object[];
}

const lastEvents = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** For /v1/responses: the last event of a stream has the response, except for fields that llama-server gives only in its JSON. */
export class ResponseAggregator implements EventAggregator {
  #response: FinalResponse | undefined;

  add(event: unknown): void {
    const { type = '', response } = event as FinalEvent;
    if (lastEvents.has(type)) this.#response = response;
  }

  result(): object | undefined {
    if (this.#response === undefined) return undefined;
    const { created_at, output = [] } = this.#response;
    const items = output.map((item) => ({ status: 'completed', ...item }));
    return { completed_at: created_at, ...this.#response, output: items };
  }
}
