interface OutputFormat {
  readonly type?: unknown;
  readonly [field: string]: unknown;
}

/**
 * The output format of a Responses request as chat completions word it; undefined where there is nothing to say.
 * llama-server reads only `response_format`, on this route too, and passes over `text.format` without a word.
 */
export function toResponseFormat({
  text,
  response_format,
}: Readonly<Record<string, unknown>>): object | undefined {
  const format = (text as { readonly format?: OutputFormat | null } | null | undefined)?.format;
  if (response_format !== undefined || typeof format !== 'object' || format === null) return undefined;
  const { type, ...json_schema } = format;
  if (type === 'json_object') return { type };
  return type === 'json_schema' ? { type, json_schema } : undefined;
}
