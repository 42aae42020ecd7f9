import { isUtf8 } from 'node:buffer';
import { invalidJson, invalidValue } from '../errors/catalogue.ts';
import type { AggregationPlan, CompletionShape } from './aggregate/aggregator.ts';
import { planAggregation } from './aggregate/plan-aggregation.ts';
import { requestStream } from './aggregate/request-stream.ts';
import { findExceededLimit } from './json-limits.ts';
import { withoutLoneSurrogates } from './lone-surrogates.ts';
import type { ResponseConversion } from './normalization-notes.ts';
import { type Api, normalizeRequest } from './normalize-request.ts';
import { type Prefill, readPrefill, wantsEcho } from './prefill.ts';
import { countChoices, getInputs, type InputsField } from './request-inputs.ts';
import { type EchoedFields, getEchoedFields } from './responses/echoed-fields.ts';
import { estimateTokens, maxOutputTokens, type TokenEstimate } from './token-estimate.ts';
import type { ToolAliases } from './tool-aliases.ts';
import { rejectRemoteMedia } from './validate/remote-media.ts';
import { type Modalities, rejectUnsupportedMedia } from './validate/unsupported-media.ts';
import { validateRequest } from './validate/validate-request.ts';

/** The few fields of a request that the gateway acts on, and the bytes that go to the backend. */
export interface ApiRequest {
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The client wants one piece and the body asks for a stream: the answer is put together like this. */
  readonly aggregation?: AggregationPlan | undefined;
  /** The beginning of the answer that it gives, where no stream is to repeat that. */
  readonly prefill?: Prefill | undefined;
  /** How many sequences the backend will decode for it: one for each choice of each input. */
  readonly weight: number;
  readonly estimate: TokenEstimate;
  readonly body: Buffer;
  /** What the answer will say again; only where its API asks for that. */
  readonly echoed?: EchoedFields;
  /** The size of embeddings that the client wants; undefined where it leaves that open. */
  readonly dimensions?: number | undefined;
  /** For the head of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the request was worded anew in a way that its answer shows. */
  readonly responseConversion?: ResponseConversion | undefined;
  readonly toolAliases?: ToolAliases | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** llama-server walks schemas by recursion: some ten thousand levels overflow its stack, and that ends it for all. */
const MAX_LEVELS = 256;
/** A million tokens as numbers, and as many again. */
const MAX_VALUES = 2_000_000;

export interface ParseOptions {
  readonly allowRemoteMedia: boolean;
  /** Up to so many tokens an answer in one piece is asked for as such. */
  readonly shortAnswerTokens: number;
  readonly requiresMessages: boolean;
  readonly isResponses: boolean;
  /** In whose words the request is to be read. */
  readonly api: Api | undefined;
  readonly shape: CompletionShape | undefined;
  readonly inputsField: InputsField | undefined;
  /** Undefined where the engine has not told yet. */
  readonly modalities?: Modalities | undefined;
}

/** Reads a JSON body; throws a Refusal that names the field at fault. Unknown fields are the backend's business. */
export function parseRequestBody(
  body: Buffer,
  {
    allowRemoteMedia,
    shortAnswerTokens,
    requiresMessages,
    isResponses,
    api,
    shape: ownShape,
    inputsField,
    modalities,
  }: ParseOptions,
): ApiRequest {
  const sound = withoutLoneSurrogates(body);
  const asked = parse(sound);
  if (requiresMessages && !Array.isArray(asked.messages))
    throw invalidValue('messages', 'a list of messages');
  validateRequest(asked);
  if (!allowRemoteMedia) rejectRemoteMedia(asked);
  rejectUnsupportedMedia(asked, modalities);
  const { fields, body: sent, ...told } = normalizeRequest(api, asked, sound);
  if (fields !== asked) {
    // What was worded anew is what is read: a schema stands elsewhere in it, a tool's parameters, an image of a document.
    validateRequest(fields);
    if (!allowRemoteMedia) rejectRemoteMedia(fields);
    rejectUnsupportedMedia(fields, modalities);
  }
  // One that is served as a chat is answered as one.
  const shape = told.responseConversion === 'message' ? 'chat' : ownShape;
  const inputs = getInputs(inputsField, fields);
  refuseBadChoices(shape, fields);
  const weight = countChoices(shape, fields) * (inputs?.length ?? 1);
  const stream = optional<boolean>(fields, 'stream', 'a boolean', (it) => typeof it === 'boolean') ?? false;
  const expected = estimateTokens({ fields, shape, inputs, bytes: body.length, completions: weight });
  const isLong = maxOutputTokens(expected) > shortAnswerTokens;
  const prefill = shape && !wantsEcho(shape, fields) ? readPrefill(shape, fields) : undefined;
  const isAssembled = shape && !stream && (isLong || (ownShape === 'message' && prefill));
  const tellsBeginning = ownShape !== 'message';
  const assembledAs = isAssembled ? planAggregation(shape, fields, tellsBeginning) : undefined;
  return {
    model: optional(fields, 'model', 'a string', (value) => typeof value === 'string'),
    stream,
    aggregation: assembledAs,
    prefill,
    weight,
    estimate: expected,
    body: assembledAs ? requestStream(assembledAs.shape, sent) : sent,
    dimensions: inputsField === 'input' ? dimensionsOf(fields) : undefined,
    ...told,
    ...(isResponses ? { echoed: getEchoedFields(asked) } : {}),
  };
}

function parse(body: Buffer): Fields {
  if (body.length === 0) throw invalidJson('it is empty');
  if (!isUtf8(body)) throw invalidJson('it is not UTF-8');
  const broken = findExceededLimit(body, { levels: MAX_LEVELS, values: MAX_VALUES });
  if (broken === 'levels') throw invalidJson(`it is nested deeper than ${MAX_LEVELS} levels`);
  if (broken === 'values') throw invalidJson(`it holds more than ${MAX_VALUES} values`);
  const value = parseText(body.toString());
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidJson('expected an object');
  }
  return value as Fields;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidJson(withoutExcerpt((error as SyntaxError).message));
  }
}

/** V8 quotes the body in its messages; a prompt has no business in an answer that others may log. */
function withoutExcerpt(message: string): string {
  return message.replace(/,? *(?:\.\.\.)?".*/s, '').replace(/ in JSON/, '');
}

function optional<T>(fields: Fields, name: string, expected: string, fits: (value: unknown) => boolean) {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (!fits(value)) throw invalidValue(name, expected);
  return value as T;
}

function dimensionsOf(fields: Fields): number | undefined {
  const isSize = (value: unknown) => Number.isInteger(value) && (value as number) >= 1;
  return optional<number>(fields, 'dimensions', 'a whole number from 1 up', isSize);
}

/** As large as the number can be for llama-server: times the most prompts, it is still exact. */
const MOST_CHOICES = 2 ** 31 - 1;

function refuseBadChoices(shape: CompletionShape | undefined, fields: Fields): void {
  if (shape === 'message') return;
  const isCount = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_CHOICES;
  for (const name of ['n', 'n_cmpl']) optional<number>(fields, name, 'a whole number from 1 up', isCount);
}
