import { errorEnvelope, renderError } from '../api/error-response.ts';
import { ApiError } from '../errors/api-error.ts';
import { internalError } from '../errors/catalogue.ts';
import type { RequestContext } from '../proxy/request-context.ts';
import { ClientDisconnected } from '../upstream/failure.ts';

/** Turns a thrown ApiError into a response. Anything else thrown is a bug of ours, and its details go to the log alone. */
export function respondWithError(context: RequestContext, thrown: unknown): void {
  if (thrown instanceof ClientDisconnected) return;
  const error = thrown instanceof ApiError ? thrown : internalError(thrown);
  const { record, response, keepAlive, incoming } = context;
  record.error = error.code;
  record.cause = error.cause;
  const request = { path: record.path, headers: incoming.headers };
  if (response.headersSent && keepAlive) {
    keepAlive.fail(error, errorEnvelope(error, request, record.id));
  } else if (response.headersSent || response.raw.destroyed) {
    response.destroy();
  } else {
    const { status, headers, body } = renderError(error, record.id, request);
    response.writeHead(status, headers);
    response.end(body);
  }
}
