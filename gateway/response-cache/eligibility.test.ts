import { describe, expect, it } from 'vitest';
import { apiRoutes } from '../api/route-table.ts';
import { isRepeatable, requestedUse } from './eligibility.ts';

const route = (upstream: string) => {
  const found = apiRoutes.find((one) => one.upstream === upstream);
  if (found === undefined) throw new Error(`no route ${upstream}`);
  return found;
};
const chat = route('/v1/chat/completions');

describe('requestedUse', () => {
  it.each([
    [undefined, 'use'],
    ['no-store', 'bypass'],
    ['max-age=0, No-Store', 'bypass'],
    ['no-cache', 'refresh'],
    ['no-cache, no-store', 'bypass'],
    ['no-transform', 'use'],
  ])('Cache-Control: %s', (control, use) => {
    expect(requestedUse(chat, control === undefined ? {} : { 'cache-control': control })).toBe(use);
  });

  it('leaves out routes with state, without a model, or with files', () => {
    const cached = apiRoutes.filter((one) => requestedUse(one, {}) === 'use').map(({ upstream }) => upstream);
    expect(cached).toEqual([
      '/v1/chat/completions',
      '/v1/completions',
      '/v1/embeddings',
      '/v1/rerank',
      '/v1/messages',
    ]);
  });
});

describe('isRepeatable', () => {
  const messages = [{ role: 'user', content: 'a' }];

  it('needs a temperature of 0 that was given', () => {
    expect(isRepeatable(chat, { messages, temperature: 0 })).toBe(true);
    for (const temperature of [undefined, null, '0', false, 0.01, 1, -1, [0]])
      expect(isRepeatable(chat, { messages, temperature }), String(temperature)).toBe(false);
    expect(isRepeatable(chat, { messages })).toBe(false);
  });

  it.each([
    ['tools', []],
    ['tools', [{ type: 'function', function: { name: 'f' } }]],
    ['tool_choice', 'none'],
    ['functions', []],
    ['n', 2],
    ['n_cmpl', 2],
    ['best_of', 2],
    ['samplers', ['top_k']],
    ['mirostat', 2],
    ['dynatemp_range', 0.5],
  ])('not with %s %j', (name, value) => {
    expect(isRepeatable(chat, { messages, temperature: 0, [name]: value })).toBe(false);
    expect(isRepeatable(chat, { messages, temperature: 0, [name]: null })).toBe(true);
  });

  it('embeddings and rankings need no temperature', () => {
    expect(isRepeatable(route('/v1/embeddings'), { input: 'a' })).toBe(true);
    expect(isRepeatable(route('/v1/rerank'), { query: 'a', documents: ['b'] })).toBe(true);
  });

  it('not with media at an address, whose content may change', () => {
    const content = (url: string) => [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }];
    expect(isRepeatable(chat, { messages: content('https://x.example/a.png'), temperature: 0 })).toBe(false);
    expect(isRepeatable(chat, { messages: content('data:image/png;base64,aaaa'), temperature: 0 })).toBe(
      true,
    );
  });
});
