import { describe, expect, it } from 'vitest';
import { UsageError } from '../run-command.ts';
import {
  createRequestBuilder,
  fitTokens,
  parsePrompts,
  type RequestOptions,
  requestBody,
  syntheticPrompt,
  wordsFor,
} from './prompts.ts';

const messages = [{ role: 'user', content: 'Hi' }];

describe('parsePrompts', () => {
  it('accepts text, JSON strings, prompts and messages, one per line', () => {
    const text = `What is a lane?\r\n\n"two\\nlines"\n{"prompt":"three"}\n${JSON.stringify({ messages })}\n`;
    expect(parsePrompts(text, 'chat')).toEqual(['What is a lane?', 'two\nlines', 'three', messages]);
  });

  it.each(['{"prompt":', '{"question":"secret"}', '{"messages":[]}'])(
    'names the line of %s, not its words',
    (line) => {
      const parse = () => parsePrompts(`fine\n${line}`, 'chat');
      expect(parse).toThrow(UsageError);
      expect(parse).toThrow(/^line 2 of the prompts is neither text nor JSON with prompt or messages$/);
    },
  );

  it('rejects messages for completions, and an empty file', () => {
    expect(() => parsePrompts(JSON.stringify({ messages }), 'completions')).toThrow(/--path completions/);
    expect(() => parsePrompts('\n\n', 'chat')).toThrow('the prompts file is empty');
  });
});

describe('syntheticPrompt', () => {
  it('has a unique start and the wanted number of words, reproducible from a seed', () => {
    const prompts = Array.from({ length: 100 }, (_, n) => syntheticPrompt(n, 5, 40));
    expect(prompts.every((prompt) => prompt.split(' ').length === 6)).toBe(true);
    expect(new Set(prompts.map((prompt) => prompt.split(' ')[0])).size).toBe(100);
    expect(syntheticPrompt(7, 5, 40)).toBe(prompts[7]);
  });
});

describe('fitTokens', () => {
  it('computes the tokens of the template and of a word', () => {
    const fit = fitTokens({ words: 8, tokens: 22 }, { words: 40, tokens: 70 });
    expect(fit).toEqual({ base: 10, perWord: 1.5 });
    expect(wordsFor(10 + 1.5 * 300, fit)).toBe(300);
  });

  it('uses no words if the template alone has enough tokens', () => {
    expect(wordsFor(4, { base: 10, perWord: 1.5 })).toBe(0);
  });

  it('assumes one token per word if the counts make no sense', () => {
    expect(fitTokens({ words: 8, tokens: 22 }, { words: 40, tokens: 22 })).toEqual({ base: 0, perWord: 1 });
  });
});

const chat: RequestOptions = { path: 'chat', model: 'm', stream: true, maxTokens: 8, body: {} };

describe('requestBody', () => {
  it('requests a chat stream with usage', () => {
    expect(requestBody('Hi', chat)).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 8,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('requests a completion without streaming', () => {
    expect(requestBody('Hi', { ...chat, path: 'completions', stream: false })).toEqual({
      model: 'm',
      prompt: 'Hi',
      max_tokens: 8,
    });
  });

  it('lets --body override fields, and null remove one', () => {
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

describe('createRequestBuilder', () => {
  it('sets the route, and the API key if there is one', () => {
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
