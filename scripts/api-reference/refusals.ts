import * as catalogue from '../../gateway/refusal/catalogue.ts';
import type { Refusal } from '../../gateway/refusal/refusal.ts';

export type RefusalName = keyof typeof catalogue;

const soon = 5000;

/** One of each, as a client might get it. A refusal that is new to the catalogue does not compile until it stands here. */
export const refusals: Readonly<Record<RefusalName, Refusal>> = {
  invalidJson: catalogue.invalidJson('Unexpected end of input'),
  invalidValue: catalogue.invalidValue('n', 'a whole number from 1 up'),
  remoteMediaNotAllowed: catalogue.remoteMediaNotAllowed('messages[0].content[1].image_url.url'),
  cannotCarry: catalogue.cannotCarry(
    'messages[0].content[1]',
    'is a file, which llama-server cannot read. Send its text, or its pages as images.',
  ),
  storeDisabled: catalogue.storeDisabled('previous_response_id'),
  mediaNotSupported: catalogue.mediaNotSupported('messages[0].content[1]', 'image'),
  contextLengthExceeded: catalogue.contextLengthExceeded(9000, 8192),
  malformedRequest: catalogue.malformedRequest(),
  invalidApiKey: catalogue.invalidApiKey(),
  insufficientScope: catalogue.insufficientScope('inference'),
  sessionNeeded: catalogue.sessionNeeded(),
  wrongSite: catalogue.wrongSite(),
  administrationOff: catalogue.administrationOff(),
  requestCancelled: catalogue.requestCancelled(),
  modelNotAllowed: catalogue.modelNotAllowed('other-model'),
  unknownUrl: catalogue.unknownUrl('GET', '/v1/nothing'),
  modelNotFound: catalogue.modelNotFound('other-model'),
  requestNotFound: catalogue.requestNotFound('b1946ac9'),
  methodNotAllowed: catalogue.methodNotAllowed('GET', '/v1/chat/completions', ['POST']),
  requestTooSlow: catalogue.requestTooSlow(),
  lengthRequired: catalogue.lengthRequired(),
  payloadTooLarge: catalogue.payloadTooLarge(10 * 1024 ** 2),
  uriTooLong: catalogue.uriTooLong(8192),
  unsupportedMediaType: catalogue.unsupportedMediaType('text/plain', 'application/json'),
  unsupportedEncoding: catalogue.unsupportedEncoding('gzip'),
  noWebSocket: catalogue.noWebSocket('/v1/responses'),
  keyFileUnusable: catalogue.keyFileUnusable('keys.json: line 3: a comma is missing'),
  restartRefused: catalogue.restartRefused(['CTX: "many" does not fit, expected a whole number']),
  restartUnderWay: catalogue.restartUnderWay('under-way'),
  noSupervisor: catalogue.noSupervisor(),
  rateLimitReached: catalogue.rateLimitReached('requests', {
    limit: 100,
    taken: 100,
    wanted: 1,
    resetMs: soon,
  }),
  tokensNeverFit: catalogue.tokensNeverFit(50_000, 20_000),
  tooManyFailedLogins: catalogue.tooManyFailedLogins(soon),
  headerFieldsTooLarge: catalogue.headerFieldsTooLarge(),
  dailyTokensSpent: catalogue.dailyTokensSpent(100_000, 100_250),
  internalError: catalogue.internalError(undefined),
  engineError: catalogue.engineError({
    status: 501,
    type: 'server_error',
    code: 'not_supported',
    message: 'This server does not support embeddings. Start it with `--embeddings`',
  }),
  badGateway: catalogue.badGateway(undefined),
  cannotContinue: catalogue.cannotContinue('a tool is being called'),
  engineKeptDying: catalogue.engineKeptDying(4),
  engineCrashed: catalogue.engineCrashed(),
  answerTooLarge: catalogue.answerTooLarge(),
  tooManyConnections: catalogue.tooManyConnections(soon),
  queueFull: catalogue.queueFull(soon),
  bodiesFillMemory: catalogue.bodiesFillMemory(soon),
  bodiesOfKeyFillShare: catalogue.bodiesOfKeyFillShare(soon, 130_000_000, 134_217_728),
  queueTimeout: catalogue.queueTimeout(soon),
  modelLoading: catalogue.modelLoading(soon),
  backendUnavailable: catalogue.backendUnavailable(soon),
  draining: catalogue.draining(soon),
  backendTooSlow: catalogue.backendTooSlow('the engine sent nothing for 300 s'),
};

/** What any request may get. */
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
  'requestTooSlow',
  'lengthRequired',
  'payloadTooLarge',
  'unsupportedMediaType',
  'unsupportedEncoding',
] as const;

const ofLimits = ['rateLimitReached', 'dailyTokensSpent', 'tokensNeverFit', 'bodiesOfKeyFillShare'] as const;

/** Of what goes to the engine. */
const ofEngine = [
  'remoteMediaNotAllowed',
  'mediaNotSupported',
  'cannotCarry',
  'storeDisabled',
  'contextLengthExceeded',
  'requestCancelled',
  'modelNotAllowed',
  'modelNotFound',
  'engineError',
  'badGateway',
  'cannotContinue',
  'engineKeptDying',
  'engineCrashed',
  'answerTooLarge',
  'queueFull',
  'bodiesFillMemory',
  'queueTimeout',
  'modelLoading',
  'backendUnavailable',
  'draining',
  'backendTooSlow',
] as const;

/** The refusals of a kind of operation. */
export const refusalsOf = {
  open: always,
  keyed: [...always, ...withKey],
  carried: [...always, ...withKey, ...withBody, ...ofLimits, ...ofEngine],
  admin: [...always, ...withKey, 'administrationOff'],
} as const satisfies Record<string, readonly RefusalName[]>;
