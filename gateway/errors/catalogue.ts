import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ApiError, type BackendError, retryAfter } from './api-error.ts';

/** Every error that the gateway itself can respond with: messages, statuses and codes are defined here and nowhere else. */

const invalid = 'invalid_request_error';

export const invalidJson = (detail: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'invalid_json',
    message: `The request body is not valid JSON: ${detail}`,
  });

/** `given` is the rejected value. Only its kind is shown unless it is a number or the like: a string may be part of a prompt. */
export const invalidValue = (param: string, expected: string, ...given: [value?: unknown]) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'invalid_value',
    param,
    message: `Invalid '${param}': expected ${expected}${given.length === 0 ? '' : `, got ${describeValue(given[0])}`}.`,
  });

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

export const remoteMediaNotAllowed = (param: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'remote_media_not_allowed',
    param,
    message: `'${param}' refers to media by URL, which this server does not fetch. Send the media inline, as a data: URL or base64.`,
  });

/** For what cannot be expressed to llama-server. `why` ends with what to do instead. */
export const unsupportedValue = (param: string, why: string) =>
  new ApiError({ status: 400, type: invalid, code: 'invalid_value', param, message: `'${param}' ${why}` });

export const storeDisabled = (param: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'store_disabled',
    param,
    message: `'${param}' requires stored responses, which the operator can enable with STORE=on. Without them send the whole conversation in 'input' (SDKs do so with store: false).`,
  });

/** Begins as the engine's own message does, which clients may recognise. */
export const mediaNotSupported = (param: string, medium: 'image' | 'audio' | 'video') =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'media_not_supported',
    param,
    message: `${medium} input is not supported by this model, but '${param}' contains it. Send text only. If the model can read ${medium} input, the operator can enable it with a multimodal projector (MMPROJ).`,
  });

/** The engine's own message, which clients may recognise. */
export const contextLengthExceeded = (tokens: number, context: number) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'context_length_exceeded',
    message: `request (${tokens} tokens) exceeds the available context size (${context} tokens), try increasing it`,
  });

export const malformedRequest = () =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'bad_request',
    message: 'The request is not valid HTTP.',
    headers: { connection: 'close' },
  });

export const invalidApiKey = () =>
  new ApiError({
    status: 401,
    type: invalid,
    code: 'invalid_api_key',
    param: 'authorization',
    message:
      'Missing or invalid API key. Send a valid key in the Authorization header (Authorization: Bearer YOUR_KEY) or in x-api-key.',
    headers: { 'www-authenticate': 'Bearer' },
  });

/** A valid token whose claims match no rule of the claims file. */
export const identityWithoutRights = () =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'identity_without_rights',
    message:
      'Your token is valid, but this server has no rule that gives its identity any rights. Ask the operator to add one for its claims.',
  });

export const issuerUnavailable = (retryAfterMs: number) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'issuer_unavailable',
    message:
      'Tokens cannot be verified at present, because the keys of their issuer cannot be read. Please try again later. API keys work.',
    headers: retryAfter(retryAfterMs),
  });

const scopeHints: Readonly<Record<string, string>> = {
  batch: ": new keys do; the operator adds it to an older key's scopes in keys.json",
};

export const insufficientScope = (scope: string) =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'insufficient_scope',
    message: `This API key lacks the scope '${scope}', which this route requires. Use a key that has it${scopeHints[scope] ?? ''}.`,
  });

/** For the pages of the dashboard, which send a session cookie instead of a key. */
export const sessionRequired = () =>
  new ApiError({
    status: 401,
    type: invalid,
    code: 'session_needed',
    message:
      'The dashboard session is missing or has expired. Log in at /dashboard. Programs use the /admin routes with an API key instead.',
  });

export const crossSiteRequest = () =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'wrong_site',
    message:
      'Only the dashboard of this server may call this route, and the request came from another site. Behind a proxy that changes the Host header, list the proxy in TRUSTED_PROXIES and let it send X-Forwarded-Host.',
  });

/** Where no key is needed. */
export const foreignPage = () =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'wrong_site',
    message:
      'The request comes from a page of another site. To allow it, list the origin of the page in CORS_ORIGINS.',
  });

export const adminDisabled = () =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'insufficient_scope',
    message:
      "This route requires an API key with the scope 'admin', but authentication is disabled (AUTH_ENABLED=false). Enable it to use this route.",
  });

/** 403, because no client retries that: the cancellation was intended. */
export const requestCancelled = () =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'request_cancelled',
    message: 'An operator of this server cancelled the request.',
    headers: { 'x-should-retry': 'false' },
  });

export const modelNotAllowed = (model: string) =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'model_not_allowed',
    param: 'model',
    message: `This API key may not use the model '${model}'. GET /v1/models lists the models it may use.`,
  });

/** `hint` is a sentence that suggests the intended path. */
export const unknownUrl = (method: string, path: string, hint?: string) =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'unknown_url',
    message: `Unknown request URL: ${method} ${path}.${hint === undefined ? '' : ` ${hint}`}`,
  });

export const modelNotFound = (model: string) =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'model_not_found',
    param: 'model',
    message: `The model '${model}' does not exist. GET /v1/models lists the available models.`,
  });

export const aliasNotFound = (name: string) =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'model_not_found',
    message: `The alias '${name}' does not exist. GET /admin/models lists the aliases; PUT /admin/aliases/NAME creates one.`,
  });

export const requestNotFound = (id: string) =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'request_not_found',
    message: `No request with the id '${id}' is in progress. GET /admin/requests lists the requests in progress.`,
  });

export const methodNotAllowed = (method: string, path: string, allowed: readonly string[]) =>
  new ApiError({
    status: 405,
    type: invalid,
    code: 'method_not_allowed',
    message: `${method} is not allowed on ${path}; use ${allowed.join(' or ')}.`,
    headers: { allow: allowed.join(', ') },
  });

export const requestTimeout = () =>
  new ApiError({
    status: 408,
    type: invalid,
    code: 'request_timeout',
    message:
      'The request took too long to arrive. Send it faster, or ask the operator to raise CLIENT_HEADER_TIMEOUT.',
    headers: { connection: 'close' },
  });

export const lengthRequired = () =>
  new ApiError({
    status: 411,
    type: invalid,
    code: 'length_required',
    message: 'This request requires a body: send Content-Length or Transfer-Encoding: chunked.',
  });

export const payloadTooLarge = (maxBytes: number) =>
  new ApiError({
    status: 413,
    type: invalid,
    code: 'payload_too_large',
    message: `Request body too large (max ${maxBytes} bytes). Send a smaller one, or ask the operator to raise MAX_REQUEST_BODY_SIZE.`,
    headers: { connection: 'close' },
  });

export const uriTooLong = (maxBytes: number) =>
  new ApiError({
    status: 414,
    type: invalid,
    code: 'uri_too_long',
    message: `Request line too long (max ${maxBytes} bytes). Send a shorter query, or ask the operator to raise MAX_REQUEST_LINE_SIZE.`,
  });

export const unsupportedEncoding = (given: string) =>
  new ApiError({
    status: 415,
    type: invalid,
    code: 'unsupported_media_type',
    message: `Unsupported content encoding${quoteName(given)}: send the body uncompressed.`,
    headers: { 'accept-encoding': 'identity' },
  });

export const unsupportedMediaType = (given: string, expected: string) =>
  new ApiError({
    status: 415,
    type: invalid,
    code: 'unsupported_media_type',
    message: `Unsupported content type${quoteName(given)}: send ${expected}.`,
  });

/** A coding or a media type without its parameters. Anything else is not repeated: it may be a secret in the wrong header. */
function quoteName(given: string): string {
  const [name] = /^(?:[a-z]{1,10}$|[a-z]+\/[a-z\d.+-]{1,60}(?= *;|$))/i.exec(given.trim()) ?? [];
  return name === undefined ? '' : ` '${name}'`;
}

/** Codex tries a WebSocket first, and falls back to HTTP at once on this status. */
export const webSocketNotSupported = (path: string) =>
  new ApiError({
    status: 426,
    type: invalid,
    code: 'websocket_not_supported',
    message: `WebSockets are not supported: send POST ${path} over plain HTTP, with "stream": true for a stream.`,
    headers: { upgrade: 'HTTP/1.1', connection: 'Upgrade', 'x-should-retry': 'false' },
  });

export const compactionNotSupported = () =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'compaction_not_supported',
    message:
      'Compaction is not supported. Let the model write a summary with POST /v1/responses and go on from that, or send truncation: "auto", which drops the oldest turns.',
  });

export const keyFileInvalid = (problem: string) =>
  new ApiError({
    status: 422,
    type: invalid,
    code: 'key_file_unusable',
    message: `${problem}. The keys loaded before remain valid.`,
  });

const countProblems = (problems: readonly string[]) =>
  problems.length === 1 ? '1 problem' : `${problems.length} problems`;

export const invalidRestart = (problems: readonly string[]) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'invalid_value',
    message: `The engine was not restarted (${countProblems(problems)}): ${problems.join('; ')}.`,
  });

export const invalidAlias = (problems: readonly string[]) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'invalid_value',
    message: `The alias was not changed (${countProblems(problems)}): ${problems.join('; ')}.`,
  });

/** A change of a model or an alias that makes no sense as things are. `why` includes what to do instead. */
export const changeRejected = (why: string) =>
  new ApiError({
    status: 409,
    type: invalid,
    code: 'model_change_rejected',
    message: `Nothing was changed: ${why}.`,
    headers: { 'x-should-retry': 'false' },
  });

export const modelActionInProgress = (model: string) =>
  new ApiError({
    status: 409,
    type: invalid,
    code: 'model_change_in_progress',
    message: `The model '${model}' is being loaded, unloaded or restarted. GET /admin/models reports when this is done.`,
    headers: { 'x-should-retry': 'false' },
  });

export const registryUnusable = (problem: string) =>
  new ApiError({
    status: 422,
    type: invalid,
    code: 'models_file_unusable',
    message: `${problem}. The models loaded before stay in use.`,
  });

export const restartInProgress = (what: 'in-progress' | 'stopping') =>
  new ApiError({
    status: 409,
    type: invalid,
    code: 'restart_under_way',
    message:
      what === 'stopping'
        ? 'The server is shutting down, so the engine cannot be restarted.'
        : 'A restart is already in progress. GET /health reports when the engine is ready again.',
    headers: { 'x-should-retry': 'false' },
  });

export const restartNotSupported = () =>
  new ApiError({
    status: 501,
    type: 'server_error',
    code: 'not_supported',
    message:
      'This gateway runs without a supervisor, so it cannot restart llama-server. Restart llama-server where it runs; requests wait until it is back.',
    headers: { 'x-should-retry': 'false' },
  });

export const modelActionsNotSupported = () =>
  new ApiError({
    status: 501,
    type: 'server_error',
    code: 'not_supported',
    message:
      'This gateway runs without a supervisor, so it cannot load, unload or restart models, or change aliases. Use "corral serve" to run them.',
    headers: { 'x-should-retry': 'false' },
  });

export interface RateLimitState {
  readonly limit: number;
  /** Used so far, without this request. */
  readonly used: number;
  readonly requested: number;
  readonly resetMs: number;
}

/** Whose limit it is, where a key tells its users apart. */
export type LimitOwner = 'key' | 'user';

const ownerNames = { key: 'this API key', user: 'each user of this API key' } as const;

export const rateLimitExceeded = (
  unit: 'requests' | 'tokens',
  { limit, used, requested, resetMs }: RateLimitState,
  of?: LimitOwner,
) =>
  new ApiError({
    status: 429,
    type: unit,
    code: 'rate_limit_exceeded',
    message:
      `Rate limit reached for ${unit} per minute: limit ${limit}, used ${used}, requested ${requested}. ` +
      (of === undefined ? '' : `This is the limit of ${ownerNames[of]}. `) +
      `Please try again in ${Math.ceil(resetMs / 1000)}s.`,
    headers: retryAfter(resetMs),
  });

/** Waiting does not help: the request exceeds the limit of a whole minute. */
export const tokenLimitTooSmall = (wanted: number, limit: number, of: LimitOwner = 'key') =>
  new ApiError({
    status: 429,
    type: 'tokens',
    code: 'rate_limit_exceeded',
    message:
      (of === 'key'
        ? `This request may use up to ${wanted} tokens, but this API key is limited to ${limit} tokens per minute. `
        : `This request may use up to ${wanted} tokens, but each user of this API key is limited to ${limit} tokens per minute. `) +
      'Shorten the prompt, send fewer inputs at once, or lower max_tokens.',
    headers: { 'x-should-retry': 'false' },
  });

export const tooManyFailedLogins = (retryAfterMs: number) =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'too_many_failed_logins',
    message:
      'Too many requests with an invalid API key came from this address. Check the key, then try again later.',
    headers: retryAfter(retryAfterMs),
  });

export const headerFieldsTooLarge = () =>
  new ApiError({
    status: 431,
    type: invalid,
    code: 'header_fields_too_large',
    message:
      'Request headers too large or too many headers. Send fewer or shorter ones, or ask the operator to raise MAX_HEADERS or MAX_HEADER_LINE_SIZE.',
  });

/** Without Retry-After: clients obey at most a minute, which would not be long enough. */
export const dailyBudgetExceeded = (budget: number, used: number, of: LimitOwner = 'key') =>
  new ApiError({
    status: 429,
    type: 'tokens',
    code: 'insufficient_quota',
    message:
      of === 'key'
        ? `This API key has used ${used} of its ${budget} tokens for today. The budget resets at midnight UTC.`
        : `This user of the API key has used ${used} of its ${budget} tokens for today. The budget resets at midnight UTC.`,
    headers: { 'x-should-retry': 'false' },
  });

export const internalError = (cause: unknown) =>
  new ApiError({
    status: 500,
    type: 'server_error',
    code: 'internal_error',
    message: 'The server had an error while processing your request.',
    cause,
  });

/** An error of the engine's own. */
export const engineError = ({ status, type, code, message, isFinal = false }: BackendError) =>
  new ApiError({
    status: status as ContentfulStatusCode,
    type,
    code,
    message,
    ...((status === 501 || isFinal) && { headers: { 'x-should-retry': 'false' } }),
  });

export const badGateway = (cause: unknown) =>
  new ApiError({
    status: 502,
    type: 'server_error',
    code: 'bad_gateway',
    message: 'The engine failed while processing this request. Please try again.',
    cause,
  });

export const cannotContinue = (why: string) =>
  new ApiError({
    status: 502,
    type: 'server_error',
    code: 'bad_gateway',
    message: `The engine failed in the middle of this response, which cannot be continued: ${why}. Please try again.`,
  });

export const engineKeptCrashing = (times: number) =>
  new ApiError({
    status: 502,
    type: 'server_error',
    code: 'bad_gateway',
    message: `The engine failed ${times} times while processing this request, which may be the cause. The request is not retried.`,
    headers: { 'x-should-retry': 'false' },
  });

export const engineCrashed = () =>
  new ApiError({
    status: 422,
    type: invalid,
    code: 'engine_crashed',
    message:
      'The engine crashed or hung each time it processed this request, so the request is blocked. ' +
      'Change the request: the likely cause is a feature beyond plain text (schemas, grammars, tools, media, sampling parameters).',
    headers: { 'x-should-retry': 'false' },
  });

export const responseTooLarge = () =>
  new ApiError({
    status: 502,
    type: 'server_error',
    code: 'answer_too_large',
    message: 'The response is too large to be sent as one JSON object. Request a stream ("stream": true).',
    headers: { 'x-should-retry': 'false' },
  });

export const tooManyConnections = (retryAfterMs: number) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'too_many_connections',
    message: 'This server has too many open connections. Please try again later.',
    headers: { ...retryAfter(retryAfterMs), connection: 'close' },
  });

export const queueFull = (retryAfterMs: number) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'queue_full',
    message: 'Server busy, try again later',
    headers: retryAfter(retryAfterMs),
  });

export const queueTimeout = (retryAfterMs: number) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'queue_timeout',
    message: 'No slot became free within the queue timeout. Please try again later.',
    headers: retryAfter(retryAfterMs),
  });

/** The rest of the body is not read. */
export const bodyMemoryFull = (retryAfterMs: number) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'queue_full',
    message:
      'Server busy: the bodies of the requests in progress fill the memory reserved for them (MAX_REQUEST_BODIES_SIZE). Please try again later.',
    headers: { ...retryAfter(retryAfterMs), connection: 'close' },
  });

export const keyBodyMemoryFull = (retryAfterMs: number, held: number, most: number, of: LimitOwner = 'key') =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message:
      `The requests in progress from this ${of === 'key' ? 'client' : 'user of the API key'} hold ${held} bytes of ` +
      `request bodies; the limit is ${most} bytes (${of === 'key' ? '' : 'half of '}MAX_REQUEST_BODIES_SIZE_PER_KEY). ` +
      'Wait until some of them finish, or send smaller ones.',
    headers: { ...retryAfter(retryAfterMs), connection: 'close' },
  });

export const modelLoading = (retryAfterMs: number) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'model_loading',
    message: 'The model is still loading. Please try again later.',
    headers: retryAfter(retryAfterMs),
  });

/** `failure`: a crash class, or what the supervisor reports. */
export const modelFailed = (model: string, failure: string) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'model_failed',
    message: `The model '${model}' cannot be served: its engine has failed (${failure}). An administrator can load it again.`,
    headers: { 'x-should-retry': 'false' },
  });

/** `kind` is what the model answers, `needed` what the route asks for. */
export const modelKindMismatch = (model: string, kind: string, needed: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'model_kind_mismatch',
    param: 'model',
    message: `The model '${model}' is for ${kind}; this request needs a model for ${needed}. GET /v1/models lists the models.`,
  });

export const backendUnavailable = (retryAfterMs: number, cause?: unknown) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'backend_unavailable',
    message: 'The engine is currently unavailable. Please try again later.',
    headers: retryAfter(retryAfterMs),
    cause,
  });

/** A request whose body is incomplete can only end with its connection. */
export const draining = (retryAfterMs: number, body?: 'half-sent') =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'draining',
    message: 'This server is shutting down. Please try again.',
    headers: { ...retryAfter(retryAfterMs), ...(body && { connection: 'close' }) },
  });

export const backendTimeout = () =>
  new ApiError({
    status: 504,
    type: 'timeout_error',
    code: 'request_timeout',
    message:
      'Request timed out: the engine took too long. Request fewer tokens or a stream, or ask the operator to raise REQUEST_TIMEOUT, FIRST_BYTE_TIMEOUT or STREAM_IDLE_TIMEOUT.',
  });
