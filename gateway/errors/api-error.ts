import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** An answer of ours that is not the backend's. Thrown anywhere on the way in, shown by door/show-refusal.ts. */
export class ApiError extends Error {
  override readonly name = 'Refusal';
  readonly status: ContentfulStatusCode;
  readonly type: string;
  readonly code: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(answer: ApiErrorOptions) {
    super(answer.message, answer.cause === undefined ? undefined : { cause: answer.cause });
    this.status = answer.status;
    this.type = answer.type;
    this.code = answer.code;
    this.param = answer.param ?? null;
    this.headers = answer.headers ?? {};
  }
}

export interface ApiErrorOptions {
  readonly status: ContentfulStatusCode;
  /** OpenAI's error type, such as `invalid_request_error`. */
  readonly type: string;
  readonly code: string;
  /** For the client: says what to change. Never holds a secret or what only the log may know. */
  readonly message: string;
  /** The field of the request that is at fault. */
  readonly param?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly cause?: unknown;
}

/** A backend's error in our format: its message without what it quotes; the other fields follow contract.md, "Errors". */
export interface BackendError {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
  /** The same request would fail in the same way, at its full cost: clients are told not to retry. */
  readonly isFinal?: boolean;
}
