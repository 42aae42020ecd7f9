import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { invalidValue } from '../../errors/catalogue.ts';
import { readExpiry } from './upload-fields.ts';

/** What the lines of a batch may be sent to. */
export const batchEndpoints = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/rerank',
] as const;

/** Limits of OpenAI's API. */
const [MAX_METADATA, MAX_METADATA_KEY, MAX_METADATA_VALUE] = [16, 64, 512];
const MAX_IDEMPOTENCY_KEY = 255;

export interface BatchRequest {
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | null;
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
    metadata: readMetadata(metadata ?? null),
    outputExpiresAfter: readOutputExpiry(body.output_expires_after ?? null),
  };
}

const isEndpoint = (value: unknown): value is string => batchEndpoints.some((endpoint) => endpoint === value);

function readMetadata(value: unknown): Readonly<Record<string, string>> | null {
  if (value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidValue('metadata', 'an object', value);
  const entries = Object.entries(value);
  if (entries.length > MAX_METADATA)
    throw invalidValue('metadata', `at most ${MAX_METADATA} pairs`, entries.length);
  for (const [name, text] of entries) {
    if (name.length > MAX_METADATA_KEY)
      throw invalidValue('metadata', `keys of at most ${MAX_METADATA_KEY} characters`, name.length);
    if (typeof text !== 'string') throw invalidValue('metadata', 'strings as values', text);
    if (text.length > MAX_METADATA_VALUE)
      throw invalidValue('metadata', `values of at most ${MAX_METADATA_VALUE} characters`, text.length);
  }
  return Object.fromEntries(entries);
}

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
