import type { IncomingMessage } from 'node:http';
import { invalidJson } from '../errors/catalogue.ts';
import { readBody } from '../proxy/read-body.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** The body of a request to a route of ours: undefined without one. `expected` describes it for the error. */
export async function readJson(
  incoming: IncomingMessage,
  idleTimeout: number,
  expected: string,
): Promise<unknown> {
  const text = await readText(incoming, idleTimeout);
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's message: it quotes the text, which may contain a token.
    throw invalidJson(`expected ${expected}.`);
  }
}

/** Empty without a body. */
async function readText(incoming: IncomingMessage, idleTimeout: number): Promise<string> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (length === undefined && encoding === undefined) return '';
  const { signal } = new AbortController();
  const body = await readBody(incoming, { maxBytes: MAX_BODY_BYTES, idleTimeout, minRate: 0, signal });
  return body.toString();
}
