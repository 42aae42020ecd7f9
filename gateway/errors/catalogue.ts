import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ApiError, type BackendError } from './api-error.ts';

/** Every refusal the gateway can give. Texts, statuses and codes stand here and nowhere else (contract.md, "Errors"). */

const invalid = 'invalid_request_error';

export const invalidJson = (detail: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'invalid_json',
    message: `The request body is not valid JSON: ${detail}`,
  });

export const invalidValue = (param: string, expected: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'invalid_value',
    param,
    message: `Invalid '${param}': expected ${expected}.`,
  });

export const remoteMediaNotAllowed = (param: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'remote_media_not_allowed',
    param,
    message: `'${param}' names media by URL, which this server does not fetch. Send it inline, as a data: URL or base64.`,
  });

/** Of what no engine behind this gateway could be told; `why` ends with the way out. */
export const unsupportedValue = (param: string, why: string) =>
  new ApiError({ status: 400, type: invalid, code: 'invalid_value', param, message: `'${param}' ${why}` });

export const storeDisabled = (param: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'store_disabled',
    param,
    message: `'${param}' needs stored responses, and this server stores none. Leave it out and send the whole conversation in input (SDKs do with store: false).`,
  });

/** It begins with the engine's words, which a client may already know. */
export const mediaNotSupported = (param: string, medium: 'image' | 'audio' | 'video') =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'media_not_supported',
    param,
    message: `${medium} input is not supported by this model, and '${param}' is such. Send text; the operator of a model that can take it gives the model its projector (MMPROJ).`,
  });

/** In the engine's words, which a client may already know. */
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
    message: 'The request is not well-formed HTTP.',
    headers: { connection: 'close' },
  });

export const invalidApiKey = () =>
  new ApiError({
    status: 401,
    type: invalid,
    code: 'invalid_api_key',
    param: 'authorization',
    message:
      'No valid API key was given. Send one in the Authorization header (Authorization: Bearer YOUR_KEY) or in x-api-key.',
    headers: { 'www-authenticate': 'Bearer' },
  });

export const insufficientScope = (scope: string) =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'insufficient_scope',
    message: `This API key may not be used here: it lacks the scope '${scope}'.`,
  });

/** Of the dashboard's pages, which show no key of their own. */
export const sessionRequired = () =>
  new ApiError({
    status: 401,
    type: invalid,
    code: 'session_needed',
    message:
      'There is no session, or it has ended. Log in at /dashboard; programs use the /admin routes with a key.',
  });

export const crossSiteRequest = () =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'wrong_site',
    message:
      'This is for the pages of this server alone. Behind a proxy that changes Host, name it in TRUSTED_PROXIES and let it send X-Forwarded-Host.',
  });

export const adminDisabled = () =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'insufficient_scope',
    message:
      "This needs an API key with the scope 'admin', and this server asks for none (AUTH_ENABLED=false).",
  });

/** 403, as no client tries that again: somebody wanted it to end. */
export const requestCancelled = () =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'request_cancelled',
    message: 'The operator of this server cancelled the request.',
    headers: { 'x-should-retry': 'false' },
  });

export const modelNotAllowed = (model: string) =>
  new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'model_not_allowed',
    param: 'model',
    message: `This API key may not use the model '${model}'.`,
  });

/** `hint` is a sentence on what may have been meant. */
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
    message: `The model '${model}' does not exist here. GET /v1/models lists what does.`,
  });

export const requestNotFound = (id: string) =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'request_not_found',
    message: `No request with the id '${id}' is under way. GET /admin/requests lists those that are.`,
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
    message: 'The request took too long to arrive.',
    headers: { connection: 'close' },
  });

export const lengthRequired = () =>
  new ApiError({
    status: 411,
    type: invalid,
    code: 'length_required',
    message: 'This request needs a body: send Content-Length or Transfer-Encoding: chunked.',
  });

export const payloadTooLarge = (maxBytes: number) =>
  new ApiError({
    status: 413,
    type: invalid,
    code: 'payload_too_large',
    message: `Request body too large (max ${maxBytes} bytes)`,
    headers: { connection: 'close' },
  });

export const uriTooLong = (maxBytes: number) =>
  new ApiError({
    status: 414,
    type: invalid,
    code: 'uri_too_long',
    message: `Request line too long (max ${maxBytes} bytes)`,
  });

export const unsupportedEncoding = (given: string) =>
  new ApiError({
    status: 415,
    type: invalid,
    code: 'unsupported_media_type',
    message: `Unsupported content encoding '${given}': send the body as it is, uncompressed.`,
    headers: { 'accept-encoding': 'identity' },
  });

export const unsupportedMediaType = (given: string, expected: string) =>
  new ApiError({
    status: 415,
    type: invalid,
    code: 'unsupported_media_type',
    message: `Unsupported content type '${given}': send ${expected}.`,
  });

/** Codex asks for one first, and takes this status for the sign to go on without (facts/agents.md, Q5). */
export const webSocketNotSupported = (path: string) =>
  new ApiError({
    status: 426,
    type: invalid,
    code: 'websocket_not_supported',
    message: `There are no WebSockets here: send POST ${path} over plain HTTP, with "stream": true for a stream.`,
    headers: { upgrade: 'HTTP/1.1', connection: 'Upgrade', 'x-should-retry': 'false' },
  });

export const keyFileInvalid = (problem: string) =>
  new ApiError({
    status: 422,
    type: invalid,
    code: 'key_file_unusable',
    message: `${problem}. The keys read before stay in force.`,
  });

export const invalidRestart = (problems: readonly string[]) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'invalid_value',
    message: `Nothing was restarted. ${problems.length === 1 ? '1 problem' : `${problems.length} problems`} to fix: ${problems.join('; ')}.`,
  });

export const restartInProgress = (what: 'under-way' | 'stopping') =>
  new ApiError({
    status: 409,
    type: invalid,
    code: 'restart_under_way',
    message:
      what === 'stopping'
        ? 'The server is stopping: nothing is restarted any more.'
        : 'A restart is under way already. GET /health tells when the engine is ready again.',
    headers: { 'x-should-retry': 'false' },
  });

export const restartNotSupported = () =>
  new ApiError({
    status: 501,
    type: 'server_error',
    code: 'not_supported',
    message:
      'This gateway did not start its llama-server and cannot restart it. Restart it where it runs: requests wait meanwhile.',
    headers: { 'x-should-retry': 'false' },
  });

export interface RateLimitState {
  readonly limit: number;
  /** What is taken of it, and what this request would take on top. */
  readonly used: number;
  readonly requested: number;
  readonly resetMs: number;
}

export const rateLimitExceeded = (
  unit: 'requests' | 'tokens',
  { limit, used, requested, resetMs }: RateLimitState,
) =>
  new ApiError({
    status: 429,
    type: unit,
    code: 'rate_limit_exceeded',
    message:
      `Rate limit reached for ${unit} per minute: limit ${limit}, used ${used}, requested ${requested}. ` +
      `Please try again in ${Math.ceil(resetMs / 1000)}s.`,
    headers: retryAfter(resetMs),
  });

/** No wait helps: it would not fit into an empty minute. */
export const tokenLimitTooSmall = (wanted: number, limit: number) =>
  new ApiError({
    status: 429,
    type: 'tokens',
    code: 'rate_limit_exceeded',
    message:
      `This request may take ${wanted} tokens, and this API key may use ${limit} in a minute. ` +
      'Shorten the prompt, send fewer inputs at once, or ask for fewer tokens (max_tokens).',
    headers: { 'x-should-retry': 'false' },
  });

export const tooManyFailedLogins = (retryAfterMs: number) =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'too_many_failed_logins',
    message: 'Too many wrong API keys came from this address. Check the key, then try again.',
    headers: retryAfter(retryAfterMs),
  });

export const headerFieldsTooLarge = () =>
  new ApiError({
    status: 431,
    type: invalid,
    code: 'header_fields_too_large',
    message: 'Request headers too large or too many headers',
  });

/** Without Retry-After: a minute, the longest that clients obey, would be in vain, and some heed nothing else. */
export const dailyBudgetExceeded = (budget: number, used: number) =>
  new ApiError({
    status: 429,
    type: 'tokens',
    code: 'insufficient_quota',
    message: `This API key may use ${budget} tokens a day and has used ${used}. Its budget begins anew at midnight UTC.`,
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

/** The engine's own verdict on a request, in our envelope. */
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
    message: 'The engine broke off while it was working on this request. Please try again.',
    cause,
  });

export const cannotContinue = (why: string) =>
  new ApiError({
    status: 502,
    type: 'server_error',
    code: 'bad_gateway',
    message: `The engine broke off in the middle of this answer, which cannot be continued: ${why}. Please try again.`,
  });

export const engineKeptCrashing = (times: number) =>
  new ApiError({
    status: 502,
    type: 'server_error',
    code: 'bad_gateway',
    message: `The engine broke off ${times} times while it was working on this request, which may be the cause. It is not tried again.`,
    headers: { 'x-should-retry': 'false' },
  });

export const engineCrashed = () =>
  new ApiError({
    status: 422,
    type: invalid,
    code: 'engine_crashed',
    message:
      'The engine crashed, or hung, each time that it worked on this request, so it is not given it again. ' +
      'Change the request: what it asks of the engine beyond plain text (schemas, grammars, tools, media, sampling) is the likely cause.',
    headers: { 'x-should-retry': 'false' },
  });

export const responseTooLarge = () =>
  new ApiError({
    status: 502,
    type: 'server_error',
    code: 'answer_too_large',
    message: 'The answer is too large to be sent in one piece. Ask for a stream ("stream": true).',
    headers: { 'x-should-retry': 'false' },
  });

export const tooManyConnections = (retryAfterMs: number) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'too_many_connections',
    message: 'This server has no room for another connection, try again later',
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
    message: 'The request waited too long for a free slot. Please try again later.',
    headers: retryAfter(retryAfterMs),
  });

/** Its body, or the rest of it, is not read. */
export const bodyMemoryFull = (retryAfterMs: number) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'queue_full',
    message:
      'Server busy: the requests under way fill the memory for request bodies (MAX_REQUEST_BODIES_SIZE). Try again later.',
    headers: { ...retryAfter(retryAfterMs), connection: 'close' },
  });

export const keyBodyMemoryFull = (retryAfterMs: number, held: number, most: number) =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message:
      `The requests under way from this client hold ${held} bytes of request bodies, and it may have ${most} at the same time ` +
      '(MAX_REQUEST_BODIES_SIZE_PER_KEY). Wait until some of them are answered, or send smaller ones.',
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

export const backendUnavailable = (retryAfterMs: number, cause?: unknown) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'backend_unavailable',
    message: 'The engine is not available at the moment. Please try again later.',
    headers: retryAfter(retryAfterMs),
    cause,
  });

/** One that is half sent would not end before its connection does. */
export const draining = (retryAfterMs: number, body?: 'half-sent') =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'draining',
    message: 'This server is shutting down. Please try again.',
    headers: { ...retryAfter(retryAfterMs), ...(body && { connection: 'close' }) },
  });

export const backendTimeout = (what: string) =>
  new ApiError({
    status: 504,
    type: 'timeout_error',
    code: 'request_timeout',
    message: `Request timed out: ${what}`,
  });

/** Between 1 and 60 s: the OpenAI SDKs ignore, or give up at, anything longer (facts/platforms.md, section 10). */
function retryAfter(ms: number): Record<string, string> {
  const bounded = Math.min(Math.max(Math.ceil(ms), 1000), 60_000);
  return { 'retry-after': String(Math.ceil(bounded / 1000)), 'retry-after-ms': String(bounded) };
}
