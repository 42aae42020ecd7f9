import type { Usage } from '../openai/usage.ts';

/** What is known of one request: filled in along its way, told once at its end. Times are `performance.now()` ms. */
export interface RequestRecord {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly startedAt: number;
  keyId?: string;
  model?: string;
  streamed?: boolean;
  queuedMs?: number;
  /** When the first byte of the answer's body went out. */
  firstByteAt?: number;
  bytesOut: number;
  usage?: Usage;
  finishReason?: string;
  /** Code of the refusal or failure that ended the request. */
  error?: string;
  /** What only the log may know of that failure. */
  cause?: unknown;
}

export function openRecord(id: string, method: string, path: string): RequestRecord {
  return { id, method, path, startedAt: performance.now(), bytesOut: 0 };
}
