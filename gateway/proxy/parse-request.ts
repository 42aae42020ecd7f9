import type { IncomingMessage } from 'node:http';
import type { BackendProps } from '../../health/props.ts';
import { apiForPath } from '../api/normalize-request.ts';
import { type ApiRequest, parseRequestBody } from '../api/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { estimateFormTokens } from '../api/token-estimate.ts';
import type { GatewayConfig } from '../config.ts';
import { unsupportedEncoding, unsupportedMediaType } from '../errors/catalogue.ts';
import type { BodyAllocation } from './body-budget.ts';
import { readBody } from './read-body.ts';

/** Reads a request's body, and in it what the gateway acts on. Throws a Refusal that says what is wrong with it. */
export async function parseRequest(
  route: ApiRoute,
  { limits, timeouts }: GatewayConfig,
  incoming: IncomingMessage,
  held: BodyAllocation,
  signal: AbortSignal,
  facts: BackendProps | undefined,
): Promise<ApiRequest> {
  const type = incoming.headers['content-type'];
  const isForm = type?.startsWith('multipart/form-data') ?? false;
  if (isForm && route.body !== 'json or form')
    throw unsupportedMediaType('multipart/form-data', 'application/json');
  if (type !== undefined && !isForm && !isJson(type)) throw unsupportedMediaType(type, 'application/json');
  const encoding = incoming.headers['content-encoding'];
  if (encoding !== undefined && !isPlain(encoding)) throw unsupportedEncoding(encoding);
  const body = await readBody(incoming, {
    maxBytes: limits.maxBodyBytes,
    idleTimeout: timeouts.clientBody,
    minRate: limits.minBodyRate,
    held,
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
    modalities: facts?.modalities,
  });
}

const isPlain = (encoding: string) => /^(?:identity)?$/i.test(encoding);
const isJson = (type: string) => /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type);
