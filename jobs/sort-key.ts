import { createHmac } from 'node:crypto';

/** How much of a prompt each part of the key depends on, in bytes. */
const prefixes = [256, 1024, 4096, 16_384];
const PART_SIZE = 8;

/**
 * Brings lines whose prompts begin alike next to each other, so that the engine reads a common beginning once. Each part
 * depends on the parts before it. They are hashes, with a key if there is one: the database gets nothing of a prompt.
 */
export function sortKey(prompt: string, key: Buffer | undefined): Buffer {
  const bytes = Buffer.from(prompt.slice(0, prefixes.at(-1)));
  let from = 0;
  let digest = Buffer.alloc(0);
  const parts = prefixes.map((to) => {
    digest = createHmac('sha256', key ?? '')
      .update(digest)
      .update(bytes.subarray(from, to))
      .digest();
    from = to;
    return digest.subarray(0, PART_SIZE);
  });
  return Buffer.concat(parts);
}

/** The fields that a prompt is made of, in the order in which most chat templates write them. */
const promptFields: Readonly<Record<string, readonly string[]>> = {
  '/v1/chat/completions': ['tools', 'messages'],
  '/v1/completions': ['prompt'],
  '/v1/responses': ['tools', 'instructions', 'input'],
  '/v1/messages': ['tools', 'system', 'messages'],
};

/** A text that begins as the prompt of the request does; empty where the engine keeps nothing of a prompt. */
export function promptText(endpoint: string, body: Readonly<Record<string, unknown>>): string {
  return (promptFields[endpoint] ?? []).map((field) => JSON.stringify(body[field]) ?? '').join('\n');
}
