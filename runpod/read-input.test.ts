import { describe, expect, it } from 'vitest';
import { readInput } from './read-input.ts';

const messages = [{ role: 'user', content: 'hi' }];
const posted = (path: string, body: object) => ({ ok: true, request: { method: 'POST', path, body } });
const got = (path: string) => ({ ok: true, request: { method: 'GET', path, body: undefined } });

describe("the input of RunPod's own route", () => {
  it.each([
    [
      { openai_route: '/v1/chat/completions', openai_input: { messages } },
      posted('/v1/chat/completions', { messages }),
    ],
    [{ openai_input: { messages } }, posted('/v1/chat/completions', { messages })],
    [{ openai_route: '/v1/models' }, got('/v1/models')],
    [{ openai_route: '/v1/models', openai_input: {} }, got('/v1/models')],
    [{ openai_route: '/v1/models', openai_input: null }, got('/v1/models')],
    [
      { openai_route: 'completions', openai_input: { prompt: 'a' } },
      posted('/v1/completions', { prompt: 'a' }),
    ],
  ])('%j', (input, request) => expect(readInput(input)).toEqual(request));
});

describe('the input that names a route', () => {
  it.each([
    [{ route: '/v1/models' }, got('/v1/models')],
    [{ route: '/v1/models/demo', method: 'get' }, got('/v1/models/demo')],
    [{ route: '/v1/completions', body: { prompt: 'a' } }, posted('/v1/completions', { prompt: 'a' })],
    [{ route: '/v1/completions', method: 'post' }, posted('/v1/completions', {})],
  ])('%j', (input, request) => expect(readInput(input)).toEqual(request));
});

describe('the input that is a request itself', () => {
  it.each([
    [{ messages }, posted('/v1/chat/completions', { messages })],
    [
      { messages, sampling_params: { max_tokens: 5 }, stream: true, max_batch_size: 9 },
      posted('/v1/chat/completions', { max_tokens: 5, messages, stream: true }),
    ],
    [{ prompt: 'a', temperature: 0 }, posted('/v1/completions', { prompt: 'a', temperature: 0 })],
    [
      { prompt: 'a', apply_chat_template: true, sampling_params: { seed: 1 } },
      posted('/v1/chat/completions', { seed: 1, messages: [{ role: 'user', content: 'a' }] }),
    ],
    [{ input: ['a', 'b'] }, posted('/v1/embeddings', { input: ['a', 'b'] })],
    ['a', posted('/v1/completions', { prompt: 'a' })],
  ])('%j', (input, request) => expect(readInput(input)).toEqual(request));
});

describe('what is no input', () => {
  it.each([7, null, [], {}, { openai_route: 7 }, { route: '/v1/models', method: 'DELETE' }])(
    '%j',
    (input) => {
      expect(readInput(input)).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/the job|the route/),
      });
    },
  );

  it.each([
    'http://elsewhere/v1',
    '//elsewhere/x?y',
    '/v1/../admin/keys',
    '/v1/models?x',
    '/v1/a b',
    '',
    '/..',
  ])('the route %j', (route) => expect(readInput({ route })).toMatchObject({ ok: false }));

  it.each(['/admin/keys', 'metrics', '//dashboard'])('reaches only the API by %j', (route) => {
    expect(readInput({ route })).toMatchObject({ request: { path: expect.stringMatching(/^\/v1\/\w/) } });
  });
});
