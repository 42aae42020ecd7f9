import { mayHaveInexactNumbers, parseKeepingNumbers } from '../../../json/exact-numbers.ts';
import type { JsonObject } from '../../../json/json-object.ts';
import { normalizeCountTokens, normalizeMessages } from '../anthropic/normalize.ts';
import {
  createNotes,
  type NormalizationNotes,
  noHeaders,
  notesToHeaders,
  type ResponseConversion,
  type ToolAliases,
} from '../normalization.ts';
import { normalizeChat, normalizeCompletion } from '../openai/normalize.ts';
import { normalizeRerank } from '../openai/rerank.ts';
import { normalizeResponses } from '../responses/normalize.ts';

/** The APIs whose requests are normalized; all others go to llama-server as they came. */
export type Api = 'chat' | 'completion' | 'rerank' | 'responses' | 'messages' | 'counted messages';

export interface NormalizedRequest {
  readonly fields: JsonObject;
  readonly body: Buffer;
  /** Response headers that tell the client what was changed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly responseConversion: ResponseConversion | undefined;
  readonly toolAliases: ToolAliases | undefined;
  readonly rankedDocuments: readonly unknown[] | undefined;
}

const normalizers: Readonly<Record<Api, (fields: JsonObject, notes: NormalizationNotes) => JsonObject>> = {
  chat: normalizeChat,
  completion: normalizeCompletion,
  rerank: normalizeRerank,
  responses: normalizeResponses,
  messages: normalizeMessages,
  'counted messages': normalizeCountTokens,
};

/**
 * Converts a request to the form that llama-server reads, so that it means to llama-server what it means to its API. Throws an
 * ApiError for what has no such form. A body that needs no change keeps its bytes, and one that does keeps its numbers.
 */
export function normalizeRequest(api: Api | undefined, fields: JsonObject, body: Buffer): NormalizedRequest {
  const notes = createNotes();
  const normalize = (from: JsonObject, into: NormalizationNotes) =>
    withoutStrippedFields(api ? normalizers[api](from, into) : from);
  const normalized = normalize(fields, notes);
  if (normalized === fields) return withNotes(fields, body, notes);
  const text = body.toString();
  const exact = mayHaveInexactNumbers(text)
    ? normalize(parseKeepingNumbers(text) as JsonObject, createNotes())
    : normalized;
  return withNotes(normalized, Buffer.from(JSON.stringify(exact)), notes);
}

function withNotes(fields: JsonObject, body: Buffer, notes: NormalizationNotes): NormalizedRequest {
  const { responseConversion, toolAliases } = notes;
  return {
    fields,
    body,
    headers: notesToHeaders(notes),
    responseConversion,
    toolAliases: toolAliases.size > 0 ? toolAliases : undefined,
    rankedDocuments: notes.rankedDocuments,
  };
}

/** The result for a request that is known to need no change. */
export const keepRequest = (fields: JsonObject, body: Buffer): NormalizedRequest => ({
  fields,
  body,
  headers: noHeaders,
  responseConversion: undefined,
  toolAliases: undefined,
  rankedDocuments: undefined,
});

/**
 * Fields by which one client could disturb another: `id_slot` selects a slot, `sse_ping_interval` turns keep-alives off. `lora`
 * would apply an adapter that the key may not use: it is named in `model`.
 */
const strippedFields = ['id_slot', 'sse_ping_interval', 'lora'] as const;

function withoutStrippedFields(fields: JsonObject): JsonObject {
  const found = strippedFields.filter((name) => name in fields);
  if (found.length === 0) return fields;
  const rest: Record<string, unknown> = { ...fields };
  for (const name of found) delete rest[name];
  return rest;
}

/** By the path at the backend, so that counting and serving read a request in the same way. */
export function apiForPath(upstream: string): Api | undefined {
  return apis[upstream];
}

const apis: Readonly<Record<string, Api>> = {
  '/v1/chat/completions': 'chat',
  '/v1/chat/completions/input_tokens': 'chat',
  '/apply-template': 'chat',
  '/v1/completions': 'completion',
  '/v1/rerank': 'rerank',
  '/v1/responses': 'responses',
  '/v1/responses/input_tokens': 'responses',
  '/v1/messages': 'messages',
  '/v1/messages/count_tokens': 'counted messages',
};
