import type { Usage } from '../api/usage.ts';
import type { ResponseTail } from '../upstream/relay.ts';
import type { RequestTrace } from './request-trace.ts';

/** What is known of one request: filled in along its way, told once at its end. Times are `performance.now()` ms. */
export interface RequestRecord {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** The client's, as far as it can be known (door/client-address.ts). */
  readonly address: string;
  readonly startedAt: number;
  /** Follows it for a collector of traces, where there is one. */
  trace?: RequestTrace | undefined;
  keyId?: string;
  /** The client came with the secret from before the last rotation. */
  previousSecret?: boolean;
  model?: string;
  streamed?: boolean;
  queuedMs?: number;
  /** How long it was at the backend, ms. */
  computeMs?: number;
  /** How much of the backend it had: its slots of all. */
  machineShare?: number;
  /** How often it was sent again. */
  retries?: number;
  /** How often its stream was continued by another engine. */
  continued?: number;
  /** Of a request that the engine died of too often: by it the same one is known again. */
  digest?: string;
  /** When the first byte of the answer's body went out. */
  firstByteAt?: number;
  bytesOut: number;
  /** What has gone to the client so far. */
  responseTail?: ResponseTail;
  usage?: Usage;
  /** Settles when `usage` is whole, counted or estimated, where that has still to be found out after the end. */
  pendingUsage?: Promise<void>;
  /** Tokens of input to be added to that, or taken off (below 0), when they have been counted after all. */
  usageCorrection?: Promise<number>;
  endedAt?: number;
  finishReason?: string;
  /** Code of the refusal or failure that ended the request. */
  error?: string;
  /** What only the log may know of that failure. */
  cause?: unknown;
}

export function createRequestRecord(
  start: Pick<RequestRecord, 'id' | 'method' | 'path' | 'address'>,
): RequestRecord {
  return { ...start, startedAt: performance.now(), bytesOut: 0 };
}
