import { createHash } from 'node:crypto';

/**
 * What says how an answer is to come, or who asks, and not what the engine has to read: the same request with another of
 * these is the same request to an engine that dies of it.
 */
const beside = new Set([
  ...['model', 'stream', 'stream_options', 'user', 'metadata', 'store', 'service_tier', 'safety_identifier'],
  ...['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict', 'seed', 'prompt_cache_key'],
]);

/**
 * By this a body is known again, whatever the order of its fields, its blanks, and what stands beside the matter: when it
 * comes again, when it is to be counted, and in another route's words for the same.
 */
export function promptDigest(body: Buffer): string {
  return createHash('sha256').update(kernelOf(body)).digest('hex');
}

/** A form has no fields to be told apart. */
function kernelOf(body: Buffer): Buffer | string {
  try {
    return JSON.stringify(JSON.parse(body.toString()), withoutOrder);
  } catch {
    return body;
  }
}

function withoutOrder(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const isOutermost = key === '';
  const names = Object.keys(value).filter((name) => !(isOutermost && beside.has(name)));
  return Object.fromEntries(names.sort().map((name) => [name, (value as Record<string, unknown>)[name]]));
}
