import { describe, expect, it } from 'vitest';
import { variables } from '../../settings/variables.ts';
import { anthropicEnvelope, openAIEnvelope } from '../api/error-response.ts';
import { ApiError } from './api-error.ts';
import * as catalogue from './catalogue.ts';
import * as responsesCatalogue from './responses-catalogue.ts';
import * as storeCatalogue from './store-catalogue.ts';

const ownArgs: Readonly<Record<string, readonly unknown[]>> = {
  engineError: [{ status: 501, type: 'x', code: 'y', message: 'z' }],
  rateLimitExceeded: ['requests', { limit: 9, used: 9, requested: 1, resetMs: 12_345 }],
  tokenLimitTooSmall: [500, 400],
  invalidRestart: [['one']],
  invalidAlias: [['one']],
};

/** Errors that are gone only after more than the minute that clients wait at most. */
const withoutRetryAfter = ['tokenLimitTooSmall', 'dailyBudgetExceeded', 'modelFailed', 'batchLimitExceeded'];

/** One of each, with arguments that fit all of them. */
const everyError = Object.entries({ ...catalogue, ...storeCatalogue, ...responsesCatalogue }).map(
  ([name, make]): [string, ApiError] => {
    const args = ownArgs[name] ?? ['one', 'two', ['three']];
    const isTimed =
      /^(queue|model|backendUn|draining|tooMany|bodyMemory|keyBodyMemory|storeUnavailable|issuerUnavailable)/.test(
        name,
      ) &&
      name !== 'modelNotFound' &&
      name !== 'modelNotAllowed';
    return [name, (make as (...args: unknown[]) => ApiError)(...(isTimed ? [12_345] : args))];
  },
);

describe.each(everyError)('%s', (name, error) => {
  it("renders in OpenAI's envelope with all four fields", () => {
    expect(error).toBeInstanceOf(ApiError);
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(openAIEnvelope(error)).toEqual({
      error: {
        message: expect.stringMatching(/\S/),
        type: expect.stringMatching(/^[a-z_]+$/),
        param: error.param === null ? null : expect.any(String),
        code: expect.stringMatching(/^[a-z_]+$/),
      },
    });
  });

  it("renders in Anthropic's envelope", () => {
    expect(anthropicEnvelope(error.status, error, 'req')).toEqual({
      type: 'error',
      error: { type: expect.stringMatching(/^[a-z_]+$/), message: error.message },
      request_id: 'req',
    });
  });

  it('has a Retry-After header if its status is 429 or 503', () => {
    const isTemporary = [429, 503].includes(error.status) && !withoutRetryAfter.includes(name);
    if (!isTemporary) return expect(error.headers['retry-after']).toBeUndefined();
    expect(error.headers).toMatchObject({ 'retry-after': '13', 'retry-after-ms': '12345' });
  });
});

describe('Retry-After', () => {
  it.each([
    [0, '1', '1000'],
    [-5, '1', '1000'],
    [1000.2, '2', '1001'],
    [60_000, '60', '60000'],
    [3_600_000, '60', '60000'],
  ])('is between 1 and 60 s for a wait of %d ms', (ms, seconds, bounded) => {
    expect(catalogue.queueFull(ms).headers).toEqual({ 'retry-after': seconds, 'retry-after-ms': bounded });
  });
});

it.each([
  [[], 'expected a number.'],
  [[0], 'expected a number, got 0.'],
  [[null], 'expected a number, got null.'],
  [[undefined], 'expected a number, got nothing.'],
  [[''], 'expected a number, got an empty string.'],
  [['a secret'], 'expected a number, got a string.'],
  [[[]], 'expected a number, got an empty list.'],
  [[['a secret']], 'expected a number, got a list.'],
  [[{ secret: 1 }], 'expected a number, got an object.'],
] satisfies [[value?: unknown], string][])(
  'an invalid value is described and never quoted: %j',
  (given, message) => {
    expect(catalogue.invalidValue('n', 'a number', ...given).message).toBe(`Invalid 'n': ${message}`);
  },
);

describe('an unsupported type or coding', () => {
  it.each(['text/plain', 'multipart/form-data', 'application/vnd.api+json', 'gzip', 'none'])(
    'is repeated if it is a name: %s',
    (name) => {
      expect(catalogue.unsupportedMediaType(name, 'x').message).toContain(`'${name}'`);
      expect(catalogue.unsupportedEncoding(name).message).toContain(`'${name}'`);
    },
  );

  it.each([
    'sk-abcdefghijklmnopqrstuvwxyz',
    'Bearer sk-abc',
    'text/plain; key=sk-abc',
    ' text/plain ;sk-abc',
    'gzip, sk-abc',
    `application/sk-abc${'d'.repeat(80)}`,
    'x'.repeat(20),
  ])('is not repeated where it may be a secret: %s', (given) => {
    for (const { message } of [
      catalogue.unsupportedMediaType(given, 'x'),
      catalogue.unsupportedEncoding(given),
    ])
      expect(message).not.toMatch(/sk-|xxx/);
  });
});

it('an error of a size or time limit names its variable, and every variable that a message names exists', () => {
  const namesIn = ({ message }: ApiError) =>
    (message.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []).filter((name) => name !== 'YOUR_KEY');
  const unknown = everyError.flatMap(([, error]) => namesIn(error)).filter((name) => !(name in variables));
  expect(unknown).toEqual([]);
  const ofLimits = [
    ...[catalogue.payloadTooLarge(1), catalogue.uriTooLong(1), catalogue.headerFieldsTooLarge()],
    ...[catalogue.requestTimeout(), catalogue.backendTimeout()],
  ];
  for (const error of ofLimits) expect(namesIn(error), error.message).not.toEqual([]);
});
