import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { BackendProps } from '../../health/props.ts';
import { appendFields, type JsonObject } from '../api/json.ts';
import { apiForPath } from '../api/request/normalize-request.ts';
import { type ApiRequest, createFormRequest, parseRequestBody } from '../api/request/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { GatewayConfig } from '../config.ts';
import { countInputUnlessSuspect } from '../engines/count-tokens.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import {
  contextLengthExceeded,
  engineCrashed,
  invalidValue,
  modelLoading,
  unsupportedEncoding,
  unsupportedMediaType,
} from '../errors/catalogue.ts';
import { addressModel } from '../models/router-models.ts';
import type { LeaseRequest } from '../scheduler/lease.ts';
import type { Quarantine } from '../scheduler/quarantine.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { RequestRecord } from './request-record.ts';
import { abortError, admissionError } from './result-errors.ts';

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

/** Reads the fields of a request that the gateway acts on. Throws an ApiError if they are invalid. `fields`: see RoutedRequest. */
export function parseRequest(
  route: ApiRoute,
  { limits }: GatewayConfig,
  contentType: string | undefined,
  body: Buffer,
  props: BackendProps | undefined,
  fields: JsonObject | undefined,
  isBatch: boolean,
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
  };
  return parseRequestBody(body, options, fields);
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

/** The size of embeddings is unknown until the model is loaded. */
const LOADING_RETRY_MS = 5000;

/**
 * Rejects embeddings of another size than the model's. llama-server would silently return its own size, and few models
 * allow their embeddings to be cut.
 */
export async function checkDimensions(
  dimensions: number,
  { model, engine }: Pick<ProxyContext, 'model' | 'engine'>,
  leaseRequest: LeaseRequest,
): Promise<void> {
  let size = await readEmbeddingSize(engine);
  if (size === undefined && engine.monitor.status !== 'ready') {
    if (model.name === '') throw modelLoading(LOADING_RETRY_MS);
    // To ask for one of several models is what loads it.
    size = await readSizeWhenLoaded({ model, engine }, leaseRequest);
  }
  if (dimensions === size) return;
  const own = size === undefined ? 'the size' : `${size}, the size`;
  throw invalidValue('dimensions', `${own} of this model's embeddings, which cannot be cut; omit the field`);
}

async function readSizeWhenLoaded(
  { model, engine }: Pick<ProxyContext, 'model' | 'engine'>,
  leaseRequest: LeaseRequest,
): Promise<number | undefined> {
  const admission = await engine.countingScheduler.admit(leaseRequest);
  if (admission.outcome === 'moved')
    return readSizeWhenLoaded(
      { model, engine: model.pickEngine(undefined) },
      { ...leaseRequest, requeued: true, since: admission.since },
    );
  if (admission.outcome !== 'granted') throw admissionError(admission, model, engine, leaseRequest.signal);
  using _ = admission.lease;
  return await readEmbeddingSize(engine);
}

const readEmbeddingSize = async ({ modelMeta }: EngineServices) => (await modelMeta.read())?.n_embd;

/** Enough to recognise a request in the log, and nothing of its content. */
const DIGEST_LENGTH = 16;

export function bodyDigest(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex').slice(0, DIGEST_LENGTH);
}

/** Rejects a body that the engine has crashed on repeatedly. */
export function rejectIfBlocked(quarantine: Quarantine, record: RequestRecord, body: Buffer): void {
  if (!quarantine.isBlocked(body)) return;
  record.digest = bodyDigest(body);
  throw engineCrashed();
}

/** Only prompts that are estimated at this part of the context or more are counted; the engine judges the others. */
const SUSPICIOUS = 0.75;
/** How long a count may take, ms. To serve such a request would take the engine as long before its first token. */
const COUNT_TIMEOUT = 600_000;

/** Whether a prompt looks too long for the context. Several prompts in one request have a slot each. */
export function mayExceedContext(
  route: ApiRoute,
  { estimate, sequences }: ApiRequest,
  { monitor }: Pick<EngineServices, 'monitor'>,
): boolean {
  const context = monitor.props?.contextPerSlot;
  if (context === undefined || estimate.input < context * SUSPICIOUS) return false;
  return route.countPath !== undefined && route.generates && sequences === 1 && monitor.status === 'ready';
}

/**
 * Rejects a prompt that does not fit the context before it waits for a slot. The backend itself counts such prompts, a few at
 * a time.
 */
export async function checkPromptLength(
  route: ApiRoute,
  body: Buffer,
  { model, engine }: Pick<ProxyContext, 'model' | 'engine'>,
  leaseRequest: LeaseRequest,
): Promise<void> {
  const { countingScheduler, counting, monitor } = engine;
  const admission = await countingScheduler.admit(leaseRequest);
  // The engine judges the prompt itself.
  if (admission.outcome === 'moved') return;
  if (admission.outcome !== 'granted') throw admissionError(admission, model, engine, leaseRequest.signal);
  const { lease } = admission;
  // The engine counts to the end, even if the client has left: so long the lease is out.
  const counted = countInputUnlessSuspect({ ...counting, timeoutMs: COUNT_TIMEOUT }, route, body);
  counted.finally(() => lease[Symbol.dispose]()).catch(() => {});
  const tokens = await raceAbort(counted, leaseRequest.signal);
  const context = monitor.props?.contextPerSlot ?? Number.POSITIVE_INFINITY;
  if (tokens !== undefined && tokens >= context) throw contextLengthExceeded(tokens, context);
}

async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(abortError(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
