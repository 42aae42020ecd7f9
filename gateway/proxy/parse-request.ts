import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { JsonObject } from '../../json/json-object.ts';
import { appendFields } from '../api/json.ts';
import { apiForPath } from '../api/request/normalize-request.ts';
import { type ApiRequest, createFormRequest, parseRequestBody } from '../api/request/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { GatewayConfig } from '../config.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import {
  engineCrashed,
  invalidValue,
  unsupportedEncoding,
  unsupportedMediaType,
} from '../errors/catalogue.ts';
import { addressModel } from '../models/router-models.ts';
import type { Quarantine } from '../scheduler/quarantine.ts';
import type { RequestRecord } from './request-record.ts';

/** Throws the ApiError of a body that is of another kind than the route takes. */
export function checkContentType(route: ApiRoute, { headers }: IncomingMessage): void {
  const type = headers['content-type'];
  if (isForm(type) && route.body !== 'json or form')
    throw unsupportedMediaType('multipart/form-data', 'application/json');
  if (type !== undefined && type !== 'application/json' && !isForm(type) && !isJson(type))
    throw unsupportedMediaType(type, 'application/json');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && !isIdentity(encoding)) throw unsupportedEncoding(encoding);
}

/** What is read of a request: see RoutedRequest and RequestContext. */
export interface RequestSource {
  readonly contentType: string | undefined;
  readonly body: Buffer;
  readonly fields: JsonObject | undefined;
  readonly isBatch: boolean;
}

/** Reads the fields of a request that the gateway acts on. Throws an ApiError if they are invalid. */
export function parseRequest(
  route: ApiRoute,
  { contentType, body, fields, isBatch }: RequestSource,
  { monitor: { props }, adapters }: Pick<EngineServices, 'monitor' | 'adapters'>,
  { limits }: GatewayConfig,
): ApiRequest {
  if (isForm(contentType)) return createFormRequest(body);
  const options = {
    allowRemoteMedia: limits.allowRemoteMedia,
    // A line of a batch is always asked for as a stream: only that can be continued.
    shortAnswerTokens: isBatch ? 0 : limits.shortAnswerTokens,
    requiresMessages: route.requiresMessages,
    isResponses: route.dialect === 'responses',
    api: apiForPath(route.upstream),
    shape: route.shape,
    inputsField: route.inputsField,
    modalities: props?.modalities,
    sampling: props?.sampling,
  };
  if (adapters.length > 0 && route.shape === 'message') return parseRequestBody(askForChat(body), options);
  return parseRequestBody(body, options, fields);
}

/** llama-server reads an adapter of chats only: with this field, which is removed again, a message becomes a chat. */
function askForChat(body: Buffer): Buffer {
  const text = body.toString();
  return text.trimEnd().endsWith('}') ? appendFields(body, '"lora":[]') : body;
}

/** A form has no field for an adapter. */
export function checkAdapterRoute(route: ApiRoute, contentType: string | undefined): void {
  if (isForm(contentType)) throw invalidValue('model', `a model without an adapter for ${route.upstream}`);
}

const isForm = (type: string | undefined) => type?.startsWith('multipart/form-data') ?? false;
const isIdentity = (encoding: string) => /^(?:identity)?$/i.test(encoding);
const isJson = (type: string) => /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type);

/** On these routes llama-server repeats the client's name for the model; on all others it returns the name that it serves. */
const modelEchoingPaths = new Set(['/v1/embeddings', '/v1/rerank']);

/** The same request with the name of the model that the backend needs. */
export function addressRequest(
  { upstream }: ApiRoute,
  request: ApiRequest,
  model: string,
  contentType: string | undefined,
  isRouter: boolean,
): ApiRequest {
  const named =
    modelEchoingPaths.has(upstream) && request.model !== model
      ? { ...request, body: appendFields(request.body, `"model":${JSON.stringify(model)}`) }
      : request;
  return isRouter ? addressModel(named, model, contentType) : named;
}

/** Whether the backend is asked for a stream. The client may get a stream too, or one JSON object made of it. */
export const requestsStream = ({ stream, aggregation }: ApiRequest) => stream || aggregation !== undefined;

/** Enough to recognise a request in the log, and nothing of its content. */
const DIGEST_LENGTH = 16;

/** Identifies a body in the log and in crash records without showing it. */
export function bodyDigest(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex').slice(0, DIGEST_LENGTH);
}

/** Rejects a body that the engine has crashed on repeatedly. */
export function rejectIfBlocked(quarantine: Quarantine, record: RequestRecord, body: Buffer): void {
  if (!quarantine.isBlocked(body)) return;
  record.digest = bodyDigest(body);
  throw engineCrashed();
}
