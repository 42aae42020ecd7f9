import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../json/json-object.ts';
import { asList, asObject } from '../api/json.ts';
import type { CompletionShape } from '../api/route-table.ts';

/** Headers in which clients name their session: Codex, OpenHands, Amp, opencode, Open WebUI. */
const sessionHeaders = [
  'session_id',
  'x-session-id',
  'x-litellm-session-id',
  'x-amp-thread-id',
  'x-opencode-session',
  'x-openwebui-chat-id',
] as const;

/** Enough of a prompt to tell conversations apart; it grows at its end. */
const PROMPT_START = 512;

/**
 * Which conversation a request continues: a digest of what the client says about it. A client that names no session is
 * recognised by the beginning of the conversation, and without one by its key. `session`: that of a header.
 */
export function identifyConversation(
  session: string | undefined,
  fields: JsonObject,
  keyId: string | undefined,
  shape: CompletionShape | undefined,
): string {
  const known = session ?? findSession(fields);
  const source = known === undefined ? (conversationStart(fields, shape) ?? '') : `session ${known}`;
  const digest = createHash('sha256')
    .update(`${keyId ?? ''}\n${source}`)
    .digest();
  return digest.toString('base64url', 0, 16);
}

/** The session that a client names in a header. */
export function readSession(headers: IncomingHttpHeaders): string | undefined {
  for (const name of sessionHeaders) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function findSession(fields: JsonObject): string | undefined {
  const inBody = [fields.prompt_cache_key, asObject(fields.metadata).user_id];
  return inBody.find((value): value is string => typeof value === 'string' && value !== '');
}

/** All up to the first message of the user: what follows differs from turn to turn. */
function conversationStart(
  { system, instructions, messages, input, prompt }: JsonObject,
  shape: CompletionShape | undefined,
): string | undefined {
  // In the Responses API, a text is a message. Embeddings have texts as well, which belong to no conversation.
  const isMessage = shape === 'response' && typeof input === 'string';
  const list = isMessage ? [{ role: 'user', content: input }] : asList(messages ?? input);
  const first = list.findIndex((message) => asObject(message).role === 'user');
  if (first !== -1) return JSON.stringify([system, instructions, list.slice(0, first + 1).map(asSaid)]);
  const text = typeof prompt === 'string' ? prompt : undefined;
  return text?.slice(0, PROMPT_START);
}

/** A message without what differs once it is stored: it has an id then, and its text is a list of one part. */
function asSaid(message: unknown): unknown {
  const { role, content } = asObject(message);
  const [part, ...others] = asList(content);
  const { text } = asObject(part);
  return [role, others.length === 0 && typeof text === 'string' ? text : content];
}
