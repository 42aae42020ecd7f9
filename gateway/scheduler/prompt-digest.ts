import { createHash } from 'node:crypto';

/** Fields that do not change what the engine reads: it crashes on the same prompt whatever they hold. */
const ignoredFields = new Set([
  ...['model', 'stream', 'stream_options', 'user', 'metadata', 'store', 'service_tier', 'safety_identifier'],
  ...['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict', 'seed', 'prompt_cache_key'],
]);

/**
 * Recognises a body when it is sent again, by whatever route, and when its tokens are counted. It ignores the order of
 * fields, white space, and fields that do not reach the model.
 */
export function promptDigest(body: Buffer): string {
  return createHash('sha256').update(canonicalPrompt(body)).digest('hex');
}

/** A multipart form is taken as it is. */
function canonicalPrompt(body: Buffer): Buffer | string {
  try {
    return JSON.stringify(JSON.parse(body.toString()), sortFields);
  } catch {
    return body;
  }
}

function sortFields(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const isOutermost = key === '';
  const names = Object.keys(value).filter((name) => !(isOutermost && ignoredFields.has(name)));
  return Object.fromEntries(names.sort().map((name) => [name, (value as Record<string, unknown>)[name]]));
}
