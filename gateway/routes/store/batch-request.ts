import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Metadata } from '../../../store/conversations.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { readMetadata } from './metadata.ts';
import { readExpiry } from './upload-fields.ts';

/** What the lines of a batch may be sent to. */
export const batchEndpoints = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/rerank',
] as const;

const MAX_IDEMPOTENCY_KEY = 255;

export interface BatchRequest {
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: Metadata | null;
  /** In seconds. */
  readonly outputExpiresAfter: number | null;
}

/** The body of `POST /v1/batches`. Throws an ApiError that names a wrong field. */
export function readBatchRequest(body: Readonly<Record<string, unknown>>): BatchRequest {
  const { input_file_id: inputFileId, endpoint, completion_window: window, metadata } = body;
  if (typeof inputFileId !== 'string' || inputFileId === '')
    throw invalidValue('input_file_id', 'the id of an uploaded file', inputFileId);
  if (!isEndpoint(endpoint)) throw invalidValue('endpoint', `one of ${batchEndpoints.join(', ')}`, endpoint);
  if (window !== '24h') throw invalidValue('completion_window', '"24h"', window);
  return {
    endpoint,
    inputFileId,
    metadata: readMetadata(metadata),
    outputExpiresAfter: readOutputExpiry(body.output_expires_after ?? null),
  };
}

const isEndpoint = (value: unknown): value is string => batchEndpoints.some((endpoint) => endpoint === value);

function readOutputExpiry(value: unknown): number | null {
  if (value === null) return null;
  if (typeof value !== 'object') throw invalidValue('output_expires_after', 'an object', value);
  return readExpiry(value, 'output_expires_after');
}

/** The client's name for a request that it may send twice; undefined if it gives none. */
export function readIdempotencyKey({ headers }: IncomingMessage): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || key === '' || key.length > MAX_IDEMPOTENCY_KEY)
    throw invalidValue('Idempotency-Key', `1 to ${MAX_IDEMPOTENCY_KEY} characters`);
  return key;
}

/** Equal for requests that ask for the same, whatever the order of their fields. */
export function digestOf({ endpoint, inputFileId, metadata, outputExpiresAfter }: BatchRequest): string {
  const pairs = metadata && Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify([endpoint, inputFileId, pairs, outputExpiresAfter]));
}
