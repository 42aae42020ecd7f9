import { ApiError, retryAfter } from './api-error.ts';

/** The errors of files and batches, as gateway/errors/catalogue.ts has those of all other routes. */

const invalid = 'invalid_request_error';
/** SDKs repeat a request after 409 and 5xx, which would fail in the same way. */
const isFinal = { 'x-should-retry': 'false' };

export const storeOff = () =>
  new ApiError({
    status: 404,
    type: invalid,
    code: 'store_disabled',
    message: 'This server keeps no files and runs no batches. The operator can enable them with STORE=on.',
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
      'A batch with other parameters was created with this Idempotency-Key. Use a new one for a new batch.',
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

export const keyStorageFull = (maxBytes: number) =>
  new ApiError({
    status: 413,
    type: invalid,
    code: 'key_storage_full',
    message: `The files of this key would exceed ${maxBytes} bytes (STORE_MAX_SIZE_PER_KEY). Delete files that are no longer needed.`,
  });

export const storeFull = (maxBytes: number) =>
  new ApiError({
    status: 507,
    type: 'server_error',
    code: 'store_full',
    message: `The files on this server would exceed ${maxBytes} bytes (STORE_MAX_SIZE). Delete files that are no longer needed, or ask the operator.`,
    headers: isFinal,
  });

export const diskFull = (cause: unknown) =>
  new ApiError({
    status: 507,
    type: 'server_error',
    code: 'disk_full',
    message:
      'The disk of this server is full: files and batches cannot be stored. Other requests are served.',
    headers: isFinal,
    cause,
  });

/** `why` is a phrase about the disk, without paths. */
export const storeUnavailable = (retryAfterMs: number, why: string, cause: unknown) =>
  new ApiError({
    status: 503,
    type: 'server_error',
    code: 'store_unavailable',
    message: `Files and batches are unavailable: ${why}. Other requests are served. Please try again later.`,
    headers: retryAfter(retryAfterMs),
    cause,
  });

/** It was damaged, or removed by hand. */
export const contentUnreadable = (cause: unknown) =>
  new ApiError({
    status: 500,
    type: 'server_error',
    code: 'content_unreadable',
    message: 'The content of this file cannot be read: it was damaged or removed on the disk of this server.',
    headers: isFinal,
    cause,
  });
