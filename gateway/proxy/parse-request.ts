import type { IncomingMessage } from 'node:http';
import type { BackendProps } from '../../health/props.ts';
import { appendFields } from '../api/json.ts';
import { apiForPath } from '../api/request/normalize-request.ts';
import { type ApiRequest, parseRequestBody } from '../api/request/parse-request-body.ts';
import { estimateFormTokens } from '../api/request-size.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { GatewayConfig } from '../config.ts';
import { unsupportedEncoding, unsupportedMediaType } from '../errors/catalogue.ts';
import { addressModel } from '../models/router-models.ts';
import type { BodyAllocation } from './body-budget.ts';
import { readBody } from './read-body.ts';

/** Reads the body of a request, and the fields that the gateway acts on. Throws an ApiError if they are invalid. */
export async function parseRequest(
  route: ApiRoute,
  { limits, timeouts }: GatewayConfig,
  incoming: IncomingMessage,
  allocation: BodyAllocation,
  signal: AbortSignal,
  props: BackendProps | undefined,
): Promise<ApiRequest> {
  const type = incoming.headers['content-type'];
  const isForm = type?.startsWith('multipart/form-data') ?? false;
  if (isForm && route.body !== 'json or form')
    throw unsupportedMediaType('multipart/form-data', 'application/json');
  if (type !== undefined && !isForm && !isJson(type)) throw unsupportedMediaType(type, 'application/json');
  const encoding = incoming.headers['content-encoding'];
  if (encoding !== undefined && !isIdentity(encoding)) throw unsupportedEncoding(encoding);
  const body = await readBody(incoming, {
    maxBytes: limits.maxBodyBytes,
    idleTimeout: timeouts.clientBody,
    minRate: limits.minBodyRate,
    allocation,
    signal,
  });
  if (isForm) return { model: undefined, stream: false, weight: 1, estimate: estimateFormTokens(), body };
  return parseRequestBody(body, {
    allowRemoteMedia: limits.allowRemoteMedia,
    shortAnswerTokens: limits.shortAnswerTokens,
    requiresMessages: route.requiresMessages,
    isResponses: route.dialect === 'responses',
    api: apiForPath(route.upstream),
    shape: route.shape,
    inputsField: route.inputsField,
    modalities: props?.modalities,
  });
}

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
