import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** An error response of the gateway itself. Thrown anywhere; middleware/handle-error.ts turns it into the response. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: ContentfulStatusCode;
  readonly type: string;
  readonly code: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: ApiErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.type = options.type;
    this.code = options.code;
    this.param = options.param ?? null;
    this.headers = options.headers ?? {};
  }
}

export interface ApiErrorOptions {
  readonly status: ContentfulStatusCode;
  /** OpenAI's error type, such as `invalid_request_error`. */
  readonly type: string;
  readonly code: string;
  /** For the client: says what is wrong and what to change. Never contains secrets or internal details. */
  readonly message: string;
  /** The request field that is wrong. */
  readonly param?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly cause?: unknown;
}

/** A backend's error in our format: its message without what it quotes; the other fields are as in docs/api.md, "Errors". */
export interface BackendError {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
  /** The same request would fail in the same way, at its full cost: a header stops clients from retrying. */
  readonly isFinal?: boolean;
}

/** Between 1 and 60 s: the OpenAI SDKs ignore, or give up at, anything longer. */
export function retryAfter(ms: number): Record<string, string> {
  const bounded = Math.min(Math.max(Math.ceil(ms), 1000), 60_000);
  return { 'retry-after': String(Math.ceil(bounded / 1000)), 'retry-after-ms': String(bounded) };
}
