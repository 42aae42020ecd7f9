import { describe, expect, it } from 'vitest';
import { anthropicEnvelope } from '../api/anthropic/error-envelope.ts';
import { openAIEnvelope } from '../api/openai/error-envelope.ts';
import { ApiError } from './api-error.ts';
import * as catalogue from './catalogue.ts';

const ownArgs: Readonly<Record<string, readonly unknown[]>> = {
  engineError: [{ status: 501, type: 'x', code: 'y', message: 'z' }],
  rateLimitExceeded: ['requests', { limit: 9, used: 9, requested: 1, resetMs: 12_345 }],
  tokenLimitTooSmall: [500, 400],
  invalidRestart: [['one']],
};

/** No wait within the minute that clients can be told of helps. */
const hopeless = ['tokenLimitTooSmall', 'dailyBudgetExceeded'];

/** One of each, made with arguments that fit any of them. */
const everyRefusal = Object.entries(catalogue).map(([name, make]): [string, ApiError] => {
  const args = ownArgs[name] ?? ['one', 'two', ['three']];
  const isTimed =
    /^(queue|model|backendUn|draining|tooMany|bodyMemory|keyBodyMemory)/.test(name) &&
    name !== 'modelNotFound' &&
    name !== 'modelNotAllowed';
  return [name, (make as (...args: unknown[]) => ApiError)(...(isTimed ? [12_345] : args))];
});

describe.each(everyRefusal)('%s', (name, refusal) => {
  it("renders in OpenAI's envelope with all four fields", () => {
    expect(refusal).toBeInstanceOf(ApiError);
    expect(refusal.status).toBeGreaterThanOrEqual(400);
    expect(openAIEnvelope(refusal)).toEqual({
      error: {
        message: expect.stringMatching(/\S/),
        type: expect.stringMatching(/^[a-z_]+$/),
        param: refusal.param === null ? null : expect.any(String),
        code: expect.stringMatching(/^[a-z_]+$/),
      },
    });
  });

  it("renders in Anthropic's", () => {
    expect(anthropicEnvelope(refusal.status, refusal, 'req')).toEqual({
      type: 'error',
      error: { type: expect.stringMatching(/^[a-z_]+$/), message: refusal.message },
      request_id: 'req',
    });
  });

  it('says when to come back wherever it is 429 or 503', () => {
    const helpsToWait = [429, 503].includes(refusal.status) && !hopeless.includes(name);
    if (!helpsToWait) return expect(refusal.headers['retry-after']).toBeUndefined();
    expect(refusal.headers).toMatchObject({ 'retry-after': '13', 'retry-after-ms': '12345' });
  });
});

describe('Retry-After', () => {
  it.each([
    [0, '1', '1000'],
    [-5, '1', '1000'],
    [1000.2, '2', '1001'],
    [60_000, '60', '60000'],
    [3_600_000, '60', '60000'],
  ])('of %d ms lies between 1 and 60 s', (ms, seconds, bounded) => {
    expect(catalogue.queueFull(ms).headers).toEqual({ 'retry-after': seconds, 'retry-after-ms': bounded });
  });
});
