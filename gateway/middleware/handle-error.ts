import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { ErrorHandler } from 'hono';
import { errorEnvelope, renderError } from '../api/error-response.ts';
import { ApiError } from '../errors/api-error.ts';
import { internalError } from '../errors/catalogue.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';
import { ClientDisconnected } from '../upstream/failure.ts';

/** Turns a thrown ApiError into a response. Anything else thrown is a bug of ours, and its details go to the log alone. */
export const handleError: ErrorHandler<GatewayEnv> = (thrown, c) => {
  if (thrown instanceof ClientDisconnected) return RESPONSE_ALREADY_SENT;
  const error = thrown instanceof ApiError ? thrown : internalError(thrown);
  const record = c.get('record');
  record.error = error.code;
  record.cause = error.cause;
  const response = c.get('response');
  const keepAlive = c.get('keepAlive');
  const request = { path: c.req.path, headers: c.env.incoming.headers };
  if (response.headersSent && keepAlive) {
    keepAlive.fail(error, errorEnvelope(error, request, record.id));
  } else if (response.headersSent || response.raw.destroyed) {
    response.destroy();
  } else {
    const { status, headers, body } = renderError(error, record.id, request);
    response.writeHead(status, headers);
    response.end(body);
  }
  return RESPONSE_ALREADY_SENT;
};
