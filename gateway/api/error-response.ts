import type { IncomingHttpHeaders } from 'node:http';
import type { ApiError } from '../errors/api-error.ts';
import { anthropicEnvelope, isAnthropicClient } from './anthropic/error-envelope.ts';
import { openAIEnvelope } from './openai/error-envelope.ts';

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

/** An error as a whole HTTP response. OpenAI's format where the request is unknown. */
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
