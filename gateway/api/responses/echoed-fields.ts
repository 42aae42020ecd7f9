import type { SamplingDefaults } from '../../../health/props.ts';
import type { JsonObject } from '../../../json/json-object.ts';
import { asObject, isJsonObject } from '../json.ts';

/**
 * The fields of a request that its response repeats. OpenAI's SDKs and the schemas of Open Responses require nearly all of
 * them. Null stands for what the request left open and the engine has not reported.
 */
export interface EchoedFields {
  readonly instructions: unknown;
  readonly max_output_tokens: unknown;
  readonly max_tool_calls: unknown;
  readonly metadata: unknown;
  readonly parallel_tool_calls: unknown;
  readonly temperature: unknown;
  readonly top_p: unknown;
  readonly presence_penalty: unknown;
  readonly frequency_penalty: unknown;
  readonly top_logprobs: number;
  readonly tool_choice: unknown;
  readonly tools: readonly unknown[];
  readonly text: JsonObject;
  readonly reasoning: JsonObject;
  readonly truncation: 'auto' | 'disabled';
  readonly prompt_cache_key: unknown;
  readonly safety_identifier: unknown;
  readonly service_tier: 'default';
  /** What became of the response itself: without a store it is neither kept nor part of anything. */
  readonly previous_response_id: string | null;
  readonly conversation: { readonly id: string } | null;
  readonly store: boolean;
  readonly background: boolean;
  readonly user?: string;
}

/** `sampling`: what the engine does where a request says nothing. */
export function getEchoedFields(request: JsonObject, sampling: SamplingDefaults = {}): EchoedFields {
  const { tools, truncation, user } = request;
  return {
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    temperature: request.temperature ?? sampling.temperature ?? null,
    top_p: request.top_p ?? sampling.top_p ?? null,
    presence_penalty: request.presence_penalty ?? sampling.presence_penalty ?? null,
    frequency_penalty: request.frequency_penalty ?? sampling.frequency_penalty ?? null,
    top_logprobs: 0,
    tool_choice: request.tool_choice ?? 'auto',
    tools: Array.isArray(tools) ? tools.map(completeTool) : [],
    text: completeText(request.text),
    reasoning: completeReasoning(request.reasoning),
    truncation: truncation === 'auto' ? 'auto' : 'disabled',
    prompt_cache_key: request.prompt_cache_key ?? null,
    safety_identifier: request.safety_identifier ?? null,
    service_tier: 'default',
    previous_response_id: null,
    conversation: null,
    store: false,
    background: false,
    ...(typeof user === 'string' ? { user } : {}),
  };
}

const optionalInTools = ['description', 'parameters', 'strict'] as const;

/**
 * A function may leave out what its echo must have. What is added comes last: the next response may take its tools from here,
 * and its prompt is found in the engine's cache only if they keep their order.
 */
function completeTool(tool: unknown): unknown {
  if (!isJsonObject(tool) || tool.type !== 'function') return tool;
  const missing = optionalInTools.filter((name) => tool[name] === undefined);
  return { ...tool, ...Object.fromEntries(missing.map((name) => [name, null])) };
}

function completeText(text: unknown): JsonObject {
  const { format, ...rest } = asObject(text);
  return { ...rest, format: format ?? { type: 'text' } };
}

function completeReasoning(reasoning: unknown): JsonObject {
  const { effort, summary } = asObject(reasoning);
  return { effort: effort ?? null, summary: summary ?? null };
}
