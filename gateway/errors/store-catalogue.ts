import { ApiError, retryAfter } from './api-error.ts';

/** The errors of files, batches and the store itself, as gateway/errors/catalogue.ts has those of all other routes. */

const invalid = 'invalid_request_error';
/** SDKs repeat a request after 409 and 5xx, which would fail in the same way. */
const isFinal = { 'x-should-retry': 'false' };

export const storeOff = () =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'store_disabled',
    message:
      'This server keeps no files, batches, responses and conversations. The operator can enable them with STORE=on.',
  });

export const emptyFile = () =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'empty_file',
    param: 'file',
    message: 'The file is empty.',
  });

export const invalidForm = (why: string) =>
  new ApiError({
    status: 400,
    type: invalid,
    code: 'invalid_form',
    message: `The body is not a valid form (multipart/form-data): ${why}.`,
  });

/** Also where it belongs to another key. */
export const fileNotFound = (id: string, param: string) =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'file_not_found',
    param,
    message: `No such File object: ${id}`,
  });

/** Also where it belongs to another key. */
export const batchNotFound = (id: string) =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'batch_not_found',
    param: 'batch_id',
    message: `No batch found with id '${id}'.`,
  });

export const resultsNotReady = (id: string) =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'results_not_ready',
    message: `The batch '${id}' has no results yet: they are available when its processing_status is 'ended'.`,
  });

export const batchNotCancellable = (id: string, status: string) =>
  new ApiError({
    status: 409,
    type: invalid,
    code: 'batch_not_cancellable',
    message: `Cannot cancel the batch '${id}' with status '${status}': it has ended.`,
    headers: isFinal,
  });

export const batchNotDeletable = (id: string) =>
  new ApiError({
    status: 409,
    type: invalid,
    code: 'batch_not_deletable',
    message: `Cannot delete the batch '${id}' before it has ended. Cancel it first.`,
    headers: isFinal,
  });

export const idempotencyKeyReused = () =>
  new ApiError({
    status: 409,
    type: invalid,
    code: 'idempotency_key_reused',
    message:
      'A request with other parameters was sent with this Idempotency-Key. Use a new one for each new request.',
    headers: isFinal,
  });

/** Without Retry-After: a batch may take hours. */
export const batchLimitExceeded = (most: number) =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'batch_limit_exceeded',
    message: `${most} batches of this key have not ended, which is the limit (MAX_BATCHES_PER_KEY). Wait until one of them has ended, or cancel one.`,
    headers: isFinal,
  });

export const fileTooLarge = (maxBytes: number) =>
  new ApiError({
    status: 413,
    type: invalid,
    code: 'file_too_large',
    param: 'file',
    message: `File too large (max ${maxBytes} bytes, MAX_FILE_SIZE)`,
  });

/** As RFC 9110, section 15.5.17, defines it: with the size, so that the client can ask for what there is. */
export const rangeNotSatisfiable = (size: number) =>
  new ApiError({
    status: 416,
    type: invalid,
    code: 'range_not_satisfiable',
    message: `The range begins behind the end of the file, which has ${size} bytes.`,
    headers: { 'content-range': `bytes */${size}` },
  });

export const keyStorageFull = (maxBytes: number) =>
  new ApiError({
    status: 413,
    type: invalid,
    code: 'key_storage_full',
    message: `What this key has stored would exceed ${maxBytes} bytes (STORE_MAX_SIZE_PER_KEY). Delete what is no longer needed.`,
  });

export const storeFull = (maxBytes: number) =>
  new ApiError({
    status: 507,
    type: 'server_error',
    code: 'store_full',
    message: `What is stored on this server would exceed ${maxBytes} bytes (STORE_MAX_SIZE). Delete what is no longer needed, or ask the operator.`,
    headers: isFinal,
  });

export const diskFull = (cause: unknown) =>
  new ApiError({
    status: 507,
    type: 'server_error',
    code: 'disk_full',
    message:
      'The disk of this server is full: nothing can be stored. Requests that store nothing are served.',
    headers: isFinal,
    cause,
  });

/** `why` is a phrase about the disk, without paths. */
export const storeUnavailable = (retryAfterMs: number, why: string, cause: unknown) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'store_unavailable',
    message: `What is stored on this server is unavailable: ${why}. Requests that need none of it are served. Please try again later.`,
    headers: retryAfter(retryAfterMs),
    cause,
  });

/** It was damaged, or removed by hand. */
export const contentUnreadable = (cause: unknown) =>
  new ApiError({
    status: 500,
    type: 'server_error',
    code: 'content_unreadable',
    message: 'What was stored cannot be read: it was damaged or removed on the disk of this server.',
    headers: isFinal,
    cause,
  });
