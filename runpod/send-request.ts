import { type GatewayClient, type GatewayResponse, readText } from '../client/gateway-client.ts';
import { type JobFailure, parseFailure } from './job.ts';
import type { JobRequest } from './read-input.ts';

/** The response of the gateway to the request of a job. */
export type JobResponse =
  | { readonly outcome: 'complete'; readonly output: unknown }
  | { readonly outcome: 'stream'; readonly body: AsyncIterable<Uint8Array> }
  | { readonly outcome: 'failed'; readonly failure: JobFailure }
  /** It may succeed later: the gateway is starting, full, or has just crashed. */
  | {
      readonly outcome: 'unavailable';
      readonly failure: JobFailure;
      readonly retryAfterMs: number | undefined;
    };

/** Throws only the reason of the signal. */
export async function sendRequest(
  gateway: GatewayClient,
  { method, path, body }: JobRequest,
  requestId: string,
  signal: AbortSignal,
): Promise<JobResponse> {
  const headers = {
    'x-request-id': requestId,
    ...(gateway.key !== undefined && { 'x-api-key': gateway.key }),
    ...(body && { 'content-type': 'application/json' }),
  };
  const request = { method, path, headers, body: body ? JSON.stringify(body) : null };
  const response = await gateway.send(request, readResponse, signal);
  if (response.outcome !== 'unreachable') return response;
  const message = `the gateway could not be reached (${response.reason})`;
  return { outcome: 'unavailable', failure: { message, type: 'bad_gateway' }, retryAfterMs: undefined };
}

async function readResponse({ statusCode, headers, body }: GatewayResponse): Promise<JobResponse> {
  if (String(headers['content-type']).startsWith('text/event-stream')) return { outcome: 'stream', body };
  return parseResponse(statusCode, await readText(body), headers['retry-after-ms']);
}

/** A response whose head was sent early may have its error in the body alone. */
function parseResponse(status: number, text: string, retryAfter: unknown): JobResponse {
  const output = jsonOrText(text);
  const error = (output as { readonly error?: unknown } | null)?.error;
  if (status < 400 && !error) return { outcome: 'complete', output };
  const failure = parseFailure(error ?? output, status);
  if (status !== 503 && status !== 429) return { outcome: 'failed', failure };
  const retryAfterMs = typeof retryAfter === 'string' ? Number(retryAfter) : undefined;
  return { outcome: 'unavailable', failure, retryAfterMs };
}

/** Some of llama-server's responses are plain text. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
