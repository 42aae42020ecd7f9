import { normalizeCountTokens, normalizeMessages } from './anthropic/normalize.ts';
import { mayHaveInexactNumbers, parseKeepingNumbers } from './exact-json.ts';
import type { JsonObject } from './json-object.ts';
import {
  createNotes,
  type NormalizationNotes,
  notesToHeaders,
  type ResponseConversion,
} from './normalization-notes.ts';
import { normalizeChat } from './openai/normalize-chat.ts';
import { normalizeCompletion } from './openai/normalize-completion.ts';
import { normalizeResponses } from './responses/normalize.ts';
import type { ToolAliases } from './tool-aliases.ts';

/** The APIs whose requests are looked at; all others go to llama-server as they came. */
export type Api = 'chat' | 'completion' | 'responses' | 'messages' | 'counted messages';

export interface NormalizedRequest {
  readonly fields: JsonObject;
  readonly body: Buffer;
  /** For the head of the answer: what its client should know of. */
  readonly headers: Readonly<Record<string, string>>;
  readonly responseConversion: ResponseConversion | undefined;
  readonly toolAliases: ToolAliases | undefined;
}

const normalizers: Readonly<Record<Api, (fields: JsonObject, notes: NormalizationNotes) => JsonObject>> = {
  chat: normalizeChat,
  completion: normalizeCompletion,
  responses: normalizeResponses,
  messages: normalizeMessages,
  'counted messages': normalizeCountTokens,
};

/**
 * The same request in the words that llama-server reads, so that it means to it what it means to its API; throws a Refusal
 * for what no words would carry. A body that needs no change keeps its bytes, and one that does keeps its numbers.
 */
export function normalizeRequest(api: Api | undefined, fields: JsonObject, body: Buffer): NormalizedRequest {
  const notes = createNotes();
  const normalize = (from: JsonObject, into: NormalizationNotes) =>
    withoutStripped(api ? normalizers[api](from, into) : from);
  const read = normalize(fields, notes);
  const { responseConversion, toolAliases } = notes;
  const told = {
    headers: notesToHeaders(notes),
    responseConversion,
    toolAliases: toolAliases.size > 0 ? toolAliases : undefined,
  };
  if (read === fields) return { fields, body, ...told };
  const text = body.toString();
  const exact = mayHaveInexactNumbers(text)
    ? normalize(parseKeepingNumbers(text) as JsonObject, createNotes())
    : read;
  return { fields: read, body: Buffer.from(JSON.stringify(exact)), ...told };
}

/**
 * Fields that would let one client disturb another: `id_slot` takes a slot of one's choice, `sse_ping_interval` turns
 * the signs of life off. They are taken out; everything else passes untouched.
 */
const strippedFields = ['id_slot', 'sse_ping_interval'] as const;

function withoutStripped(fields: JsonObject): JsonObject {
  const found = strippedFields.filter((name) => name in fields);
  if (found.length === 0) return fields;
  const left: Record<string, unknown> = { ...fields };
  for (const name of found) delete left[name];
  return left;
}

/** By the path at the backend, so that what is counted is what is served. */
export function apiForPath(upstream: string): Api | undefined {
  return apis[upstream];
}

const apis: Readonly<Record<string, Api>> = {
  '/v1/chat/completions': 'chat',
  '/v1/chat/completions/input_tokens': 'chat',
  '/apply-template': 'chat',
  '/v1/completions': 'completion',
  '/v1/responses': 'responses',
  '/v1/responses/input_tokens': 'responses',
  '/v1/messages': 'messages',
  '/v1/messages/count_tokens': 'counted messages',
};
