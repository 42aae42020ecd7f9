/** What an answer of the Responses API says again of its request; OpenAI requires all of it. */
export type EchoedFields = ReturnType<typeof getEchoedFields>;

/** Null stands for what the request left to the engine, whose own defaults are not OpenAI's. */
export function getEchoedFields(request: Readonly<Record<string, unknown>>) {
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
