import type { IncomingHttpHeaders } from 'node:http';
import type { ApiError } from '../errors/api-error.ts';

/** OpenAI's error object: all four fields are always present. */
export interface OpenAIError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

export interface OpenAIEnvelope {
  readonly error: OpenAIError;
}

export function openAIEnvelope({ message, type, param, code }: OpenAIError): OpenAIEnvelope {
  return { error: { message, type, param, code } };
}

/**
 * Whether a client gets errors in Anthropic's format: always on Anthropic's routes, and on a path that both APIs have, or
 * neither has, where the client is one of Anthropic's SDKs, which send their version with every request.
 */
export function isAnthropicClient(path: string, headers: IncomingHttpHeaders): boolean {
  if (path === '/v1/messages' || path.startsWith('/v1/messages/')) return true;
  return headers['anthropic-version'] !== undefined && sharedPaths.test(path);
}

const sharedPaths = /^(?:\/v1)?\/models(?:\/|$)|\/messages(?:\/|$)/;

export interface AnthropicEnvelope {
  readonly type: 'error';
  readonly error: { readonly type: string; readonly message: string };
  readonly request_id: string;
}

/** Anthropic names an error by its status alone. */
export function anthropicEnvelope(status: number, error: OpenAIError, requestId: string): AnthropicEnvelope {
  return {
    type: 'error',
    error: { type: getType(status), message: getMessage(error) },
    request_id: requestId,
  };
}

/** Claude Code recognises exactly this message, with the two numbers in them, and compacts the conversation. */
function getMessage({ code, message }: OpenAIError): string {
  if (code !== 'context_length_exceeded') return message;
  const [tokens, limit] = message.match(/\d+(?= tokens)/g) ?? [];
  return limit === undefined ? message : `prompt is too long: ${tokens} tokens > ${limit} maximum`;
}

const typeByStatus: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

function getType(status: number): string {
  return typeByStatus[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer;
}

/** The request that an error is the response to. */
export interface FailedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** The error object in the format of the API that the client uses. */
export function errorEnvelope(error: ApiError, { path, headers }: FailedRequest, requestId: string): object {
  return isAnthropicClient(path, headers)
    ? anthropicEnvelope(error.status, error, requestId)
    : openAIEnvelope(error);
}

/** An error as a complete HTTP response. OpenAI's format where the request is unknown. */
export function renderError(
  error: ApiError,
  requestId: string,
  request: FailedRequest | undefined,
): ErrorResponse {
  const body = Buffer.from(
    JSON.stringify(request ? errorEnvelope(error, request, requestId) : openAIEnvelope(error)),
  );
  const isAnthropic = request !== undefined && isAnthropicClient(request.path, request.headers);
  return {
    status: error.status,
    headers: {
      ...error.headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      'x-request-id': requestId,
      ...(isAnthropic && { 'request-id': requestId }),
    },
    body,
  };
}
