import type { EventAggregator } from '../aggregation.ts';
import type { JsonObject } from '../json.ts';

/** The object of the Responses API, as far as it is read here. */
export interface ResponseObject {
  readonly status?: string | undefined;
  readonly output?: readonly OutputItem[];
  readonly usage?: {
    readonly output_tokens?: number;
    readonly input_tokens_details?: object;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface OutputItem {
  readonly type: string;
  readonly id?: string;
  readonly status?: string;
  readonly [field: string]: unknown;
}

/** The fields of a request that its response repeats; OpenAI requires all of them. */
export type EchoedFields = ReturnType<typeof getEchoedFields>;

/** Null stands for what the request left to the engine, whose defaults differ from OpenAI's. */
export function getEchoedFields(request: JsonObject) {
  return {
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    temperature: request.temperature ?? null,
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_p: request.top_p ?? null,
  };
}

/** What is known of a response before the engine sends anything. */
export interface ResponseContext {
  readonly model: string;
  /** Unix time, seconds. */
  readonly createdAt: number;
  readonly echoed: EchoedFields;
}

/**
 * A response with every field that OpenAI requires. `usage` comes after everything that the client wrote itself: the counts
 * are read from the end of the response (usage.ts), and no client may forge them.
 */
export function completeResponse(context: ResponseContext, engine: ResponseObject): ResponseObject {
  const { usage, ...response } = wasCutOff(context, engine)
    ? { ...engine, ...incompleteFields(engine) }
    : engine;
  return {
    id: response.id,
    object: response.object,
    status: response.status,
    output: [],
    error: null,
    incomplete_details: null,
    access_programs: null,
    ...context.echoed,
    ...response,
    created_at: context.createdAt,
    model: context.model,
    ...(usage && { usage: completeUsage(usage) }),
  };
}

/** Writing to the cache costs nothing here, but the types of OpenAI's SDKs require the field. */
function completeUsage(usage: NonNullable<ResponseObject['usage']>) {
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
