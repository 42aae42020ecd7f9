import { describe, expect, it } from 'vitest';
import { createRequestBuilder, type RequestOptions, requestBody } from './bench-request.ts';

const chat: RequestOptions = { path: 'chat', model: 'm', stream: true, maxTokens: 8, body: {} };

describe('bodyOf', () => {
  it('asks a chat for a stream that ends with its usage', () => {
    expect(requestBody('Hi', chat)).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 8,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('asks for a completion in one piece', () => {
    expect(requestBody('Hi', { ...chat, path: 'completions', stream: false })).toEqual({
      model: 'm',
      prompt: 'Hi',
      max_tokens: 8,
    });
  });

  it("lets the operator's fields win, and null take one out", () => {
    const body = { temperature: 0, max_tokens: null, stream_options: null, max_completion_tokens: 9 };
    expect(requestBody('Hi', { ...chat, body })).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      temperature: 0,
      max_completion_tokens: 9,
    });
  });
});

describe('questioner', () => {
  it('knows the route, and gives the key where there is one', () => {
    expect(createRequestBuilder({ basePath: '/v1' }, chat, 'sk-1')('Hi')).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: 'Bearer sk-1' },
    });
    const { path, headers } = createRequestBuilder(
      { basePath: '/x' },
      { ...chat, path: 'completions' },
      undefined,
    )('Hi');
    expect(path).toBe('/x/completions');
    expect(headers).not.toHaveProperty('authorization');
  });
});
