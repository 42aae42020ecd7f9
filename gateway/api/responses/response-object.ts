import type { EchoedFields } from './echoed-fields.ts';

/** The object of the Responses API, as far as it is looked at here. */
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

/** What is known of a response before the engine says anything. */
export interface ResponseContext {
  readonly model: string;
  /** Unix time, seconds. */
  readonly createdAt: number;
  readonly echoed: EchoedFields;
}

/**
 * A response with every field that OpenAI requires, whatever the engine left out. `usage` comes after all that the
 * client itself has worded: the counts are read from the end of an answer (usage.ts), and nobody may forge them.
 */
export function completeResponse(known: ResponseContext, told: ResponseObject): ResponseObject {
  const { usage, ...response } = wasCut(known, told) ? { ...told, ...cutShort(told) } : told;
  return {
    id: response.id,
    object: response.object,
    status: response.status,
    output: [],
    error: null,
    incomplete_details: null,
    access_programs: null,
    ...known.echoed,
    ...response,
    created_at: known.createdAt,
    model: known.model,
    ...(usage && { usage: wholeUsage(usage) }),
  };
}

/** Nothing is ever billed for what is written to a cache here, and the types of OpenAI's SDKs want that said. */
function wholeUsage(usage: NonNullable<ResponseObject['usage']>) {
  const details = { cached_tokens: 0, cache_write_tokens: 0, ...usage.input_tokens_details };
  return { output_tokens_details: { reasoning_tokens: 0 }, ...usage, input_tokens_details: details };
}

/**
 * llama-server says `completed` of an answer that it cut, too. One that came to its own end with the last token allowed
 * cannot be told from it, and counts as cut: better a needless warning than half an answer taken for a whole one.
 */
function wasCut({ echoed }: ResponseContext, { status, usage }: ResponseObject): boolean {
  const most = echoed.max_output_tokens;
  return (
    status === 'completed' && typeof most === 'number' && most >= 0 && (usage?.output_tokens ?? 0) >= most
  );
}

function cutShort({ output = [] }: ResponseObject) {
  const last = output.at(-1);
  return {
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: last ? [...output.slice(0, -1), { ...last, status: 'incomplete' }] : output,
  };
}
