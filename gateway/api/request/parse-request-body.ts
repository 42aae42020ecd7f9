import { isUtf8 } from 'node:buffer';
import { invalidJson, invalidValue } from '../../errors/catalogue.ts';
import { type AggregationPlan, planAggregation, requestStream } from '../aggregation.ts';
import { normalizeCountTokens, normalizeMessages } from '../anthropic/normalize.ts';
import {
  findExceededLimit,
  isJsonObject,
  type JsonObject,
  mayHaveInexactNumbers,
  parseKeepingNumbers,
  withoutLoneSurrogates,
} from '../json.ts';
import {
  createNotes,
  type NormalizationNotes,
  notesToHeaders,
  type ResponseConversion,
  type ToolAliases,
} from '../normalization.ts';
import { normalizeChat, normalizeCompletion } from '../openai/normalize.ts';
import { type Prefill, readPrefill, wantsEcho } from '../prefill.ts';
import {
  countChoices,
  estimateTokens,
  getInputs,
  maxOutputTokens,
  type TokenEstimate,
} from '../request-size.ts';
import { normalizeResponses } from '../responses/normalize.ts';
import { type EchoedFields, getEchoedFields } from '../responses/response-object.ts';
import type { CompletionShape, InputsField } from '../route-table.ts';
import { type Modalities, rejectRemoteMedia, rejectUnsupportedMedia } from '../validate/media.ts';
import { validateRequest } from '../validate/validate-request.ts';

/** The few fields of a request that the gateway uses, and the body for the backend. */
export interface ApiRequest {
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The client does not stream, but `body` asks for a stream, which is aggregated by this plan. */
  readonly aggregation?: AggregationPlan | undefined;
  /** The beginning of the completion that the request contains, where a stream must not repeat it. */
  readonly prefill?: Prefill | undefined;
  /** How many sequences the backend decodes for it: one for each choice of each input. */
  readonly sequences: number;
  readonly estimate: TokenEstimate;
  readonly body: Buffer;
  /** The fields that the response repeats; only on the Responses API. */
  readonly echoed?: EchoedFields;
  /** The requested size of embeddings; undefined where the client leaves it open. */
  readonly dimensions?: number | undefined;
  /** Response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly responseConversion?: ResponseConversion | undefined;
  readonly toolAliases?: ToolAliases | undefined;
}

/** llama-server visits schemas by recursion: some ten thousand levels overflow its stack, which crashes it for all clients. */
const MAX_LEVELS = 256;
/** A million tokens as numbers, and as many other values. */
const MAX_VALUES = 2_000_000;

export interface ParseOptions {
  readonly allowRemoteMedia: boolean;
  /** Without streaming, a completion of up to this many tokens is requested as JSON. */
  readonly shortAnswerTokens: number;
  readonly requiresMessages: boolean;
  readonly isResponses: boolean;
  /** The API whose format the request has. */
  readonly api: Api | undefined;
  readonly shape: CompletionShape | undefined;
  readonly inputsField: InputsField | undefined;
  /** Undefined where the engine has not reported them yet. */
  readonly modalities?: Modalities | undefined;
}

/** Parses and validates a JSON body; throws an ApiError that names the invalid field. Unknown fields are left to the backend. */
export function parseRequestBody(body: Buffer, options: ParseOptions): ApiRequest {
  const { shortAnswerTokens, requiresMessages, isResponses, api, shape: routeShape, inputsField } = options;
  const text = withoutLoneSurrogates(body);
  const original = parse(text);
  if (requiresMessages && !Array.isArray(original.messages))
    throw invalidValue('messages', 'a list of messages', original.messages);
  validate(original, options);
  const { fields, body: normalized, ...rest } = normalizeRequest(api, original, text);
  // Normalization moves schemas, parameters of tools and images to other places.
  if (fields !== original) validate(fields, options);
  // The response to a request that is served as a chat has the form of a chat.
  const shape = rest.responseConversion === 'message' ? 'chat' : routeShape;
  const inputs = getInputs(inputsField, fields);
  validateChoices(shape, fields);
  const sequences = countChoices(shape, fields) * (inputs?.length ?? 1);
  const stream = optional<boolean>(fields, 'stream', 'a boolean', (it) => typeof it === 'boolean') ?? false;
  const estimate = estimateTokens({ fields, shape, inputs, bytes: body.length, completions: sequences });
  const isLong = maxOutputTokens(estimate) > shortAnswerTokens;
  const prefill = shape && !wantsEcho(shape, fields) ? readPrefill(shape, fields) : undefined;
  const isAggregated = shape && !stream && (isLong || (routeShape === 'message' && prefill));
  const hasPrefix = routeShape !== 'message';
  const aggregation = isAggregated ? planAggregation(shape, fields, hasPrefix) : undefined;
  return {
    model: optional(fields, 'model', 'a string', (value) => typeof value === 'string'),
    stream,
    aggregation,
    prefill,
    sequences,
    estimate,
    body: aggregation ? requestStream(aggregation.shape, normalized) : normalized,
    dimensions: inputsField === 'input' ? readDimensions(fields) : undefined,
    ...rest,
    ...(isResponses ? { echoed: getEchoedFields(original) } : {}),
  };
}

function validate(fields: JsonObject, { allowRemoteMedia, modalities }: ParseOptions): void {
  validateRequest(fields);
  if (!allowRemoteMedia) rejectRemoteMedia(fields);
  rejectUnsupportedMedia(fields, modalities);
}

function parse(body: Buffer): JsonObject {
  if (body.length === 0) throw invalidJson('it is empty');
  if (!isUtf8(body)) throw invalidJson('it is not UTF-8');
  const exceeded = findExceededLimit(body, { levels: MAX_LEVELS, values: MAX_VALUES });
  if (exceeded === 'levels') throw invalidJson(`it is nested deeper than ${MAX_LEVELS} levels`);
  if (exceeded === 'values') throw invalidJson(`it has more than ${MAX_VALUES} values`);
  const value = parseText(body.toString());
  if (!isJsonObject(value)) throw invalidJson('expected an object');
  return value;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidJson(withoutExcerpt((error as SyntaxError).message));
  }
}

/** V8 quotes the body in its messages, and a prompt must not appear in an error that others may log. */
function withoutExcerpt(message: string): string {
  return message.replace(/,? *(?:\.\.\.)?".*/s, '').replace(/ in JSON/, '');
}

function optional<T>(
  fields: JsonObject,
  name: string,
  expected: string,
  isValid: (value: unknown) => boolean,
): T | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (!isValid(value)) throw invalidValue(name, expected, value);
  return value as T;
}

function readDimensions(fields: JsonObject): number | undefined {
  const isSize = (value: unknown) => Number.isInteger(value) && (value as number) >= 1;
  return optional<number>(fields, 'dimensions', 'an integer of at least 1', isSize);
}

/** llama-server's largest number. Multiplied by the most prompts, it is still exact. */
const MAX_CHOICES = 2 ** 31 - 1;

function validateChoices(shape: CompletionShape | undefined, fields: JsonObject): void {
  if (shape === 'message') return;
  const isCount = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_CHOICES;
  for (const name of ['n', 'n_cmpl'])
    optional<number>(fields, name, `an integer from 1 to ${MAX_CHOICES}`, isCount);
}

/** The APIs whose requests are normalized; all others go to llama-server as they came. */
export type Api = 'chat' | 'completion' | 'responses' | 'messages' | 'counted messages';

export interface NormalizedRequest {
  readonly fields: JsonObject;
  readonly body: Buffer;
  /** Response headers that tell the client what was changed. */
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
 * Converts a request to the form that llama-server reads, so that it means to llama-server what it means to its API. Throws an
 * ApiError for what has no such form. A body that needs no change keeps its bytes, and one that does keeps its numbers.
 */
export function normalizeRequest(api: Api | undefined, fields: JsonObject, body: Buffer): NormalizedRequest {
  const notes = createNotes();
  const normalize = (from: JsonObject, into: NormalizationNotes) =>
    withoutStrippedFields(api ? normalizers[api](from, into) : from);
  const normalized = normalize(fields, notes);
  const { responseConversion, toolAliases } = notes;
  const rest = {
    headers: notesToHeaders(notes),
    responseConversion,
    toolAliases: toolAliases.size > 0 ? toolAliases : undefined,
  };
  if (normalized === fields) return { fields, body, ...rest };
  const text = body.toString();
  const exact = mayHaveInexactNumbers(text)
    ? normalize(parseKeepingNumbers(text) as JsonObject, createNotes())
    : normalized;
  return { fields: normalized, body: Buffer.from(JSON.stringify(exact)), ...rest };
}

/** Fields by which one client could disturb another: `id_slot` selects a slot, `sse_ping_interval` turns keep-alives off. */
const strippedFields = ['id_slot', 'sse_ping_interval'] as const;

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
  '/v1/responses': 'responses',
  '/v1/responses/input_tokens': 'responses',
  '/v1/messages': 'messages',
  '/v1/messages/count_tokens': 'counted messages',
};
