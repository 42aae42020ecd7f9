import type { SamplingDefaults } from '../../../health/props.ts';
import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { type AggregationPlan, planAggregation, requestStream } from '../aggregation.ts';
import { replaceLoneSurrogates } from '../json.ts';
import { noHeaders, type ResponseConversion, type ToolAliases } from '../normalization.ts';
import { type Prefill, readPrefill, wantsEcho } from '../prefill.ts';
import {
  countChoices,
  estimateFormTokens,
  estimateTokens,
  getInputs,
  maxOutputTokens,
  type TokenEstimate,
} from '../request-size.ts';
import { type EchoedFields, getEchoedFields } from '../responses/echoed-fields.ts';
import type { CompletionShape, InputsField } from '../route-table.ts';
import { validateFieldTypes } from '../validate/field-types.ts';
import { type Modalities, rejectRemoteMedia, rejectUnsupportedMedia } from '../validate/media.ts';
import { validateRequest } from '../validate/validate-request.ts';
import { type Api, keepRequest, normalizeRequest } from './normalize-request.ts';
import { decodeBody, parseBody } from './parse-body.ts';
import { isPlainChat } from './plain-chat.ts';

/** The few fields of a request that the gateway uses, and the body for the backend. */
export interface ApiRequest {
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The client does not stream, but `body` asks for a stream, which is aggregated by this plan. */
  readonly aggregation: AggregationPlan | undefined;
  /** The beginning of the completion that the request contains, where a stream must not repeat it. */
  readonly prefill: Prefill | undefined;
  /** How many sequences the backend decodes for it: one for each choice of each input. */
  readonly sequences: number;
  readonly estimate: TokenEstimate;
  readonly body: Buffer;
  /** The requested size of embeddings; undefined where the client leaves it open. */
  readonly dimensions: number | undefined;
  /** Response headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly responseConversion: ResponseConversion | undefined;
  readonly toolAliases: ToolAliases | undefined;
  /** The documents of a ranking that the response is to contain, as texts. */
  readonly rankedDocuments: readonly unknown[] | undefined;
  /** The fields that the response repeats; only on the Responses API. */
  readonly echoed: EchoedFields | undefined;
}

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
  /** The defaults of the engine, as far as they are known. */
  readonly sampling?: SamplingDefaults | undefined;
}

/**
 * Parses and validates a JSON body; throws an ApiError that names the invalid field. Unknown fields are left to the backend.
 * `parsed`: its fields, if it has been parsed before and has no lone surrogates.
 */
export function parseRequestBody(body: Buffer, options: ParseOptions, parsed?: JsonObject): ApiRequest {
  const { shortAnswerTokens, requiresMessages, isResponses, api, shape: routeShape, inputsField } = options;
  let soundBody = body;
  let original = parsed;
  if (original === undefined) {
    const text = decodeBody(body);
    const sound = replaceLoneSurrogates(text);
    if (sound !== text) soundBody = Buffer.from(sound);
    original = parseBody(sound);
  }
  if (requiresMessages && !Array.isArray(original.messages))
    throw invalidValue('messages', 'a list of messages', original.messages);
  const isPlain = api === 'chat' && isPlainChat(original);
  if (!isPlain) {
    validateFieldTypes(api, original);
    validate(original, options);
  }
  const normalized = isPlain ? keepRequest(original, soundBody) : normalizeRequest(api, original, soundBody);
  const { fields, responseConversion } = normalized;
  // Normalization moves schemas, parameters of tools and images to other places.
  if (fields !== original) validate(fields, options);
  // The response to a request that is served as a chat has the form of a chat.
  const shape = responseConversion === 'message' ? 'chat' : routeShape;
  const inputs = getInputs(inputsField, fields);
  validateChoices(shape, fields);
  // llama-server would reserve memory for as many, and fail with the words of its library.
  if (inputsField === 'documents') optional<number>(fields, 'top_n', countRule, isCount);
  const completions = countChoices(shape, fields) * (inputs?.length ?? 1);
  const stream = optional<boolean>(fields, 'stream', 'a boolean', isBoolean) ?? false;
  const estimate = estimateTokens({
    fields,
    shape,
    inputs,
    bytes: body.length,
    mayHaveMedia: !isPlain,
    completions,
  });
  const isLong = maxOutputTokens(estimate) > shortAnswerTokens;
  const prefill = shape && !wantsEcho(shape, fields) ? readPrefill(shape, fields) : undefined;
  const isAggregated = shape && !stream && (isLong || (routeShape === 'message' && prefill));
  const hasPrefix = routeShape !== 'message';
  const aggregation = isAggregated ? planAggregation(shape, fields, hasPrefix) : undefined;
  return {
    model: optional<string>(fields, 'model', 'a string', isString),
    stream,
    aggregation,
    prefill,
    sequences: completions,
    estimate,
    body: aggregation ? requestStream(aggregation.shape, normalized.body) : normalized.body,
    dimensions: inputsField === 'input' ? readDimensions(fields) : undefined,
    headers: normalized.headers,
    responseConversion,
    toolAliases: normalized.toolAliases,
    rankedDocuments: normalized.rankedDocuments,
    echoed: isResponses ? getEchoedFields(original, options.sampling) : undefined,
  };
}

/** A form is passed on unread. */
export const createFormRequest = (body: Buffer): ApiRequest => ({
  model: undefined,
  stream: false,
  aggregation: undefined,
  prefill: undefined,
  sequences: 1,
  estimate: estimateFormTokens(),
  body,
  dimensions: undefined,
  headers: noHeaders,
  responseConversion: undefined,
  toolAliases: undefined,
  rankedDocuments: undefined,
  echoed: undefined,
});

function validate(fields: JsonObject, { allowRemoteMedia, modalities }: ParseOptions): void {
  validateRequest(fields);
  if (!allowRemoteMedia) rejectRemoteMedia(fields);
  rejectUnsupportedMedia(fields, modalities);
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

const isBoolean = (value: unknown) => typeof value === 'boolean';
const isString = (value: unknown) => typeof value === 'string';
const isSize = (value: unknown) => Number.isInteger(value) && (value as number) >= 1;
const isCount = (value: unknown) => isSize(value) && (value as number) <= MAX_COUNT;

const readDimensions = (fields: JsonObject) =>
  optional<number>(fields, 'dimensions', 'an integer of at least 1', isSize);

/** llama-server's largest number. Multiplied by the most prompts, it is still exact. */
const MAX_COUNT = 2 ** 31 - 1;
const countRule = `an integer from 1 to ${MAX_COUNT}`;

function validateChoices(shape: CompletionShape | undefined, fields: JsonObject): void {
  if (shape === 'message') return;
  optional<number>(fields, 'n', countRule, isCount);
  optional<number>(fields, 'n_cmpl', countRule, isCount);
}
