import { errorGroups } from './error-examples.ts';
import type { Operation } from './operation.ts';
import * as own from './shapes/store.ts';

const text = { type: 'string' };
const tag = 'Files and batches';
const openai = { tag, scope: 'batch', style: 'plain', errors: errorGroups.stored } as const;
const counted = { style: 'counted' } as const;
const anthropic = { ...openai, style: 'plain-anthropic' } as const;

const queryOf = (name: string, description: string, schema: object = text) =>
  ({ name, in: 'query', description, schema }) as const;
const limit = (most: number, usual: number) =>
  queryOf('limit', 'Items of a page.', { type: 'integer', minimum: 1, maximum: most, default: usual });
const after = queryOf('after', 'The id of the item before the first one.');
const order = queryOf('order', 'By time of creation.', { enum: ['asc', 'desc'], default: 'desc' });

const fileId = { name: 'id', in: 'path', description: 'The id of a file.', schema: text } as const;
const batchId = { name: 'id', in: 'path', description: 'The id of a batch.', schema: text } as const;

const ok = (description: string, name: string, schema: (typeof own)[keyof typeof own]) =>
  [{ status: 200, description, json: { name, schema } }] as const;

const ofBody = ['requestTimeout', 'payloadTooLarge', 'invalidJson', 'invalidValue'] as const;
const ofUpload = [
  ...['requestTimeout', 'lengthRequired', 'unsupportedMediaType', 'unsupportedEncoding', 'invalidValue'],
  ...['fileTooLarge', 'keyStorageFull', 'storeFull', 'bodyMemoryFull', 'keyBodyMemoryFull', 'draining'],
  'requestCancelled',
] as const satisfies readonly string[];

/** The errors of requests that count in the requests per minute. */
const created = [...errorGroups.stored, 'rateLimitExceeded'] as const;

const fileOperations: readonly Operation[] = [
  {
    ...{ ...openai, ...counted, method: 'post', path: '/v1/files', alsoAt: ['/files'], id: 'uploadFile' },
    summary: 'Upload a file',
    description: 'Larger than `MAX_REQUEST_BODY_SIZE` is allowed here: the limit is `MAX_FILE_SIZE`.',
    body: { form: { name: 'FileForm', schema: own.fileForm } },
    responses: ok('The file.', 'File', own.file),
    errors: [...created, ...ofUpload, 'emptyFile', 'invalidForm'],
  },
  {
    ...{ ...openai, method: 'get', path: '/v1/files', alsoAt: ['/files'], id: 'listFiles' },
    summary: 'List the files of the key',
    parameters: [after, limit(10_000, 10_000), order, queryOf('purpose', 'Only files with this purpose.')],
    responses: ok('A page of files.', 'FileList', own.fileList),
    errors: [...errorGroups.stored, 'invalidValue'],
  },
  {
    ...{ ...openai, method: 'get', path: '/v1/files/{id}', alsoAt: ['/files/{id}'], id: 'getFile' },
    summary: 'Get a file without its content',
    parameters: [fileId],
    responses: ok('The file.', 'File', own.file),
    errors: [...errorGroups.stored, 'fileNotFound'],
  },
  {
    ...{ ...openai, method: 'delete', path: '/v1/files/{id}', alsoAt: ['/files/{id}'], id: 'deleteFile' },
    summary: 'Delete a file',
    description: 'A batch that reads it goes on.',
    parameters: [fileId],
    responses: ok('Deleted.', 'DeletedFile', own.deletedFile),
    errors: [...errorGroups.stored, 'fileNotFound'],
  },
  {
    ...{ ...openai, method: 'get', path: '/v1/files/{id}/content', alsoAt: ['/files/{id}/content'] },
    ...{ id: 'getFileContent', summary: 'Download a file' },
    description:
      'With `Range`, a single part of it; with `If-Range` and the `ETag`, only if it is the same file. With `If-None-Match` ' +
      'and the `ETag`, nothing, as a file never changes.',
    parameters: [fileId],
    responses: [
      { status: 200, description: 'Its bytes.', other: 'application/octet-stream' },
      { status: 206, description: 'The part in `Range`.', other: 'application/octet-stream' },
      { status: 304, description: 'The client has it, by `If-None-Match`.' },
    ],
    errors: [...errorGroups.stored, 'fileNotFound', 'rangeNotSatisfiable', 'contentUnreadable'],
  },
];

const batchOperations: readonly Operation[] = [
  {
    ...{
      ...openai,
      ...counted,
      method: 'post',
      path: '/v1/batches',
      alsoAt: ['/batches'],
      id: 'createBatch',
    },
    summary: 'Create a batch from an uploaded file',
    description:
      'With an `Idempotency-Key`, a repeated request returns the batch from before. What is wrong with the lines of the file shows later: the batch turns `failed`.',
    body: {
      json: { name: 'BatchRequest', schema: own.batchRequest },
      example: { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' },
    },
    responses: ok('The batch.', 'Batch', own.batch),
    errors: [...created, ...ofBody, 'fileNotFound', 'idempotencyKeyReused', 'batchLimitExceeded'],
  },
  {
    ...{ ...openai, method: 'get', path: '/v1/batches', alsoAt: ['/batches'], id: 'listBatches' },
    summary: 'List the batches of the key, newest first',
    parameters: [after, limit(100, 20)],
    responses: ok('A page of batches.', 'BatchList', own.batchList),
    errors: [...errorGroups.stored, 'invalidValue'],
  },
  {
    ...{ ...openai, method: 'get', path: '/v1/batches/{id}', alsoAt: ['/batches/{id}'], id: 'getBatch' },
    summary: 'Get a batch',
    parameters: [batchId],
    responses: ok('The batch.', 'Batch', own.batch),
    errors: [...errorGroups.stored, 'batchNotFound'],
  },
  {
    ...{ ...openai, method: 'post', path: '/v1/batches/{id}/cancel', alsoAt: ['/batches/{id}/cancel'] },
    ...{ id: 'cancelBatch', summary: 'Cancel a batch' },
    description: 'What is done is kept.',
    parameters: [batchId],
    responses: ok('The batch, which is `cancelling` or `cancelled`.', 'Batch', own.batch),
    errors: [...errorGroups.stored, 'batchNotFound', 'batchNotCancellable'],
  },
];

const messageBatchOperations: readonly Operation[] = [
  {
    ...{ ...anthropic, style: 'counted-anthropic', method: 'post', path: '/v1/messages/batches' },
    id: 'createMessageBatch',
    summary: 'Create a message batch',
    description: 'With an `Idempotency-Key`, a repeated request returns the batch from before.',
    body: {
      json: { name: 'MessageBatchRequest', schema: own.messageBatchRequest },
      example: {
        requests: [
          {
            custom_id: 'one',
            params: { model: 'demo', max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] },
          },
        ],
      },
    },
    responses: ok('The batch.', 'MessageBatch', own.messageBatch),
    errors: [...created, ...ofUpload, 'invalidJson', 'idempotencyKeyReused', 'batchLimitExceeded'],
  },
  {
    ...{ ...anthropic, method: 'get', path: '/v1/messages/batches', id: 'listMessageBatches' },
    summary: 'List the message batches of the key, newest first',
    parameters: [
      queryOf('after_id', 'The id of the batch before the first one.'),
      queryOf('before_id', 'The id of the batch behind the last one.'),
      limit(1000, 20),
    ],
    responses: ok('A page of batches.', 'MessageBatchList', own.messageBatchList),
    errors: [...errorGroups.stored, 'invalidValue'],
  },
  {
    ...{ ...anthropic, method: 'get', path: '/v1/messages/batches/{id}', id: 'getMessageBatch' },
    summary: 'Get a message batch',
    parameters: [batchId],
    responses: ok('The batch.', 'MessageBatch', own.messageBatch),
    errors: [...errorGroups.stored, 'batchNotFound'],
  },
  {
    ...{ ...anthropic, method: 'delete', path: '/v1/messages/batches/{id}', id: 'deleteMessageBatch' },
    summary: 'Delete a message batch that has ended, with its requests and results',
    parameters: [batchId],
    responses: ok('Deleted.', 'DeletedMessageBatch', own.deletedMessageBatch),
    errors: [...errorGroups.stored, 'batchNotFound', 'batchNotDeletable'],
  },
  {
    ...{ ...anthropic, method: 'post', path: '/v1/messages/batches/{id}/cancel', id: 'cancelMessageBatch' },
    summary: 'Cancel a message batch',
    parameters: [batchId],
    responses: ok('The batch, which is `canceling` or `ended`.', 'MessageBatch', own.messageBatch),
    errors: [...errorGroups.stored, 'batchNotFound', 'batchNotCancellable'],
  },
  {
    ...{ ...anthropic, method: 'get', path: '/v1/messages/batches/{id}/results', id: 'getMessageResults' },
    summary: 'Get the results of a message batch that has ended',
    description: 'One line for each request, in any order: `{"custom_id","result":{"type":…}}`.',
    parameters: [batchId],
    responses: [{ status: 200, description: 'JSON lines.', other: 'application/x-jsonl' }],
    errors: [...errorGroups.stored, 'batchNotFound', 'resultsNotReady', 'fileNotFound', 'contentUnreadable'],
  },
];

/** Files and batches, with `STORE=on`. */
export const storeOperations: readonly Operation[] = [
  ...fileOperations,
  ...batchOperations,
  ...messageBatchOperations,
];
