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
  it('takes texts, JSON strings, prompts and messages, one to a line', () => {
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

  it('refuses messages for completions, and an empty file', () => {
    expect(() => parsePrompts(JSON.stringify({ messages }), 'completions')).toThrow(/--path completions/);
    expect(() => parsePrompts('\n\n', 'chat')).toThrow('the prompts file is empty');
  });
});

describe('madePrompt', () => {
  it('has the wanted words behind a beginning of its own, the same from the same seed', () => {
    const prompts = Array.from({ length: 100 }, (_, n) => syntheticPrompt(n, 5, 40));
    expect(prompts.every((prompt) => prompt.split(' ').length === 6)).toBe(true);
    expect(new Set(prompts.map((prompt) => prompt.split(' ')[0])).size).toBe(100);
    expect(syntheticPrompt(7, 5, 40)).toBe(prompts[7]);
  });
});

describe('fitTokens', () => {
  it('finds what a template adds and what a word takes', () => {
    const fit = fitTokens({ words: 8, tokens: 22 }, { words: 40, tokens: 70 });
    expect(fit).toEqual({ always: 10, perWord: 1.5 });
    expect(wordsFor(10 + 1.5 * 300, fit)).toBe(300);
  });

  it('takes no words for a prompt that the template fills alone', () => {
    expect(wordsFor(4, { always: 10, perWord: 1.5 })).toBe(0);
  });

  it('takes a token for a word where the counts make no sense', () => {
    expect(fitTokens({ words: 8, tokens: 22 }, { words: 40, tokens: 22 })).toEqual({ always: 0, perWord: 1 });
  });
});

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
