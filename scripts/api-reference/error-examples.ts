import type { ApiError } from '../../gateway/errors/api-error.ts';
import * as catalogue from '../../gateway/errors/catalogue.ts';
import * as stored from '../../gateway/errors/store-catalogue.ts';

export type ErrorName = keyof typeof catalogue | keyof typeof stored;

const soon = 5000;

/** One example of each error. A new error of the catalogue does not compile until it is added here. */
export const errorExamples: Readonly<Record<ErrorName, ApiError>> = {
  invalidJson: catalogue.invalidJson('Unexpected end of input'),
  invalidValue: catalogue.invalidValue('n', 'an integer from 1 to 2147483647', 0),
  remoteMediaNotAllowed: catalogue.remoteMediaNotAllowed('messages[0].content[1].image_url.url'),
  unsupportedValue: catalogue.unsupportedValue(
    'messages[0].content[1]',
    'is a file, which llama-server cannot read. Send its text, or its pages as images.',
  ),
  storeDisabled: catalogue.storeDisabled('previous_response_id'),
  mediaNotSupported: catalogue.mediaNotSupported('messages[0].content[1]', 'image'),
  contextLengthExceeded: catalogue.contextLengthExceeded(9000, 8192),
  malformedRequest: catalogue.malformedRequest(),
  invalidApiKey: catalogue.invalidApiKey(),
  insufficientScope: catalogue.insufficientScope('inference'),
  sessionRequired: catalogue.sessionRequired(),
  crossSiteRequest: catalogue.crossSiteRequest(),
  adminDisabled: catalogue.adminDisabled(),
  requestCancelled: catalogue.requestCancelled(),
  modelNotAllowed: catalogue.modelNotAllowed('other-model'),
  unknownUrl: catalogue.unknownUrl('GET', '/v1/nothing'),
  modelNotFound: catalogue.modelNotFound('other-model'),
  modelFailed: catalogue.modelFailed('qwen3-8b', 'out-of-memory'),
  modelKindMismatch: catalogue.modelKindMismatch('bge-m3', 'embeddings', 'chat'),
  requestNotFound: catalogue.requestNotFound('b1946ac9'),
  methodNotAllowed: catalogue.methodNotAllowed('GET', '/v1/chat/completions', ['POST']),
  requestTimeout: catalogue.requestTimeout(),
  lengthRequired: catalogue.lengthRequired(),
  payloadTooLarge: catalogue.payloadTooLarge(10 * 1024 ** 2),
  uriTooLong: catalogue.uriTooLong(8192),
  unsupportedMediaType: catalogue.unsupportedMediaType('text/plain', 'application/json'),
  unsupportedEncoding: catalogue.unsupportedEncoding('gzip'),
  webSocketNotSupported: catalogue.webSocketNotSupported('/v1/responses'),
  keyFileInvalid: catalogue.keyFileInvalid('keys.json: line 3: a comma is missing'),
  invalidRestart: catalogue.invalidRestart([
    'CTX: invalid value "many"; expected "auto" or an integer ≥ 256',
  ]),
  aliasNotFound: catalogue.aliasNotFound('latest'),
  invalidAlias: catalogue.invalidAlias(['targets[1].model: no model "b"; the models are a']),
  changeRejected: catalogue.changeRejected('qwen3-8b is pinned: unpin it first'),
  modelActionInProgress: catalogue.modelActionInProgress('qwen3-8b'),
  registryUnusable: catalogue.registryUnusable('models.json: models[0]: has no source'),
  modelActionsNotSupported: catalogue.modelActionsNotSupported(),
  restartInProgress: catalogue.restartInProgress('in-progress'),
  restartNotSupported: catalogue.restartNotSupported(),
  rateLimitExceeded: catalogue.rateLimitExceeded('requests', {
    limit: 100,
    used: 100,
    requested: 1,
    resetMs: soon,
  }),
  tokenLimitTooSmall: catalogue.tokenLimitTooSmall(50_000, 20_000),
  tooManyFailedLogins: catalogue.tooManyFailedLogins(soon),
  headerFieldsTooLarge: catalogue.headerFieldsTooLarge(),
  dailyBudgetExceeded: catalogue.dailyBudgetExceeded(100_000, 100_250),
  internalError: catalogue.internalError(undefined),
  engineError: catalogue.engineError({
    status: 501,
    type: 'server_error',
    code: 'not_supported',
    message: 'This server does not support embeddings. Start it with `--embeddings`',
  }),
  badGateway: catalogue.badGateway(undefined),
  cannotContinue: catalogue.cannotContinue('a tool is being called'),
  engineKeptCrashing: catalogue.engineKeptCrashing(4),
  engineCrashed: catalogue.engineCrashed(),
  responseTooLarge: catalogue.responseTooLarge(),
  tooManyConnections: catalogue.tooManyConnections(soon),
  queueFull: catalogue.queueFull(soon),
  bodyMemoryFull: catalogue.bodyMemoryFull(soon),
  keyBodyMemoryFull: catalogue.keyBodyMemoryFull(soon, 130_000_000, 134_217_728),
  queueTimeout: catalogue.queueTimeout(soon),
  modelLoading: catalogue.modelLoading(soon),
  backendUnavailable: catalogue.backendUnavailable(soon),
  draining: catalogue.draining(soon),
  backendTimeout: catalogue.backendTimeout('the engine sent nothing for 300 s'),
  storeOff: stored.storeOff(),
  emptyFile: stored.emptyFile(),
  invalidForm: stored.invalidForm('the field "file" is missing'),
  fileNotFound: stored.fileNotFound('file-1', 'id'),
  batchNotFound: stored.batchNotFound('batch_1'),
  resultsNotReady: stored.resultsNotReady('msgbatch_1'),
  batchNotCancellable: stored.batchNotCancellable('batch_1', 'completed'),
  batchNotDeletable: stored.batchNotDeletable('msgbatch_1'),
  idempotencyKeyReused: stored.idempotencyKeyReused(),
  fileTooLarge: stored.fileTooLarge(200 * 1024 ** 2),
  keyStorageFull: stored.keyStorageFull(1024 ** 3),
  storeFull: stored.storeFull(20 * 1024 ** 3),
  diskFull: stored.diskFull(undefined),
  storeUnavailable: stored.storeUnavailable(soon, 'the disk is read-only', undefined),
  contentUnreadable: stored.contentUnreadable(undefined),
};

/** Errors of any request. */
const always = [
  'malformedRequest',
  'uriTooLong',
  'headerFieldsTooLarge',
  'internalError',
  'tooManyConnections',
] as const;

const withKey = ['invalidApiKey', 'insufficientScope', 'tooManyFailedLogins'] as const;

const withBody = [
  'invalidJson',
  'invalidValue',
  'requestTimeout',
  'lengthRequired',
  'payloadTooLarge',
  'unsupportedMediaType',
  'unsupportedEncoding',
] as const;

const ofLimits = [
  'rateLimitExceeded',
  'dailyBudgetExceeded',
  'tokenLimitTooSmall',
  'keyBodyMemoryFull',
] as const;

/** Errors of requests to the engine. */
const ofEngine = [
  'remoteMediaNotAllowed',
  'mediaNotSupported',
  'unsupportedValue',
  'storeDisabled',
  'contextLengthExceeded',
  'requestCancelled',
  'modelNotAllowed',
  'modelNotFound',
  'modelKindMismatch',
  'engineError',
  'badGateway',
  'cannotContinue',
  'engineKeptCrashing',
  'engineCrashed',
  'responseTooLarge',
  'queueFull',
  'bodyMemoryFull',
  'queueTimeout',
  'modelLoading',
  'modelFailed',
  'backendUnavailable',
  'draining',
  'backendTimeout',
] as const;

/** The errors of each kind of operation. */
export const errorGroups = {
  open: always,
  keyed: [...always, ...withKey],
  proxied: [...always, ...withKey, ...withBody, ...ofLimits, ...ofEngine],
  admin: [...always, ...withKey, 'adminDisabled'],
  stored: [...always, ...withKey, 'storeOff', 'diskFull', 'storeUnavailable'],
} as const satisfies Record<string, readonly ErrorName[]>;
