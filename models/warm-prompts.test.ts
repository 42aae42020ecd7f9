import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder } from '../test/harness/start-deployment.ts';
import { parseWarmPrompts, warmPromptsProblems } from './warm-prompts.ts';

const messages = [{ role: 'user', content: 'a' }];

describe('parseWarmPrompts', () => {
  it('reads one request per line: a chat, or with its route', () => {
    const lines = [{ messages }, { url: '/v1/messages', body: { model: 'm', messages } }];
    const text = `${JSON.stringify(lines[0])}\n\n${JSON.stringify(lines[1])}\r\n`;
    expect(parseWarmPrompts(text)).toEqual([
      { place: 'line 1', url: '/v1/chat/completions', body: { messages }, model: undefined },
      { place: 'line 3', url: '/v1/messages', body: { model: 'm', messages }, model: 'm' },
    ]);
  });

  it('reads a list of them, and the lines of a batch', () => {
    const item = { custom_id: '1', method: 'POST', url: '/v1/responses', body: { input: 'a' } };
    expect(parseWarmPrompts(JSON.stringify([item], null, 2))).toMatchObject([
      { place: 'item 1', url: item.url },
    ]);
    expect(parseWarmPrompts('')).toEqual([]);
  });

  it('names the line and the field of every mistake, and quotes no prompt', () => {
    const text = [
      '{"messages": [secret}',
      '"secret"',
      '{"url": "/v1/embeddings", "body": {"input": "secret"}}',
      '{"url": "/v1/messages", "body": "secret"}',
      '{"prompt": "secret"}',
      '{"url": "/v1/completions", "body": {"messages": []}}',
      '{"model": 1, "messages": []}',
    ].join('\n');
    const read = () => parseWarmPrompts(text);
    expect(read).toThrow('line 1: is not JSON');
    expect(read).toThrow('line 2: expected an object');
    expect(read).toThrow('line 3: "url": expected one of /v1/chat/completions, /v1/completions');
    expect(read).toThrow('line 4: "body": expected the body of a request');
    expect(read).toThrow('line 5: "messages": expected a list');
    expect(read).toThrow('line 6: "prompt": expected a text or a list');
    expect(read).toThrow('line 7: "model": expected a name');
    expect(read).not.toThrow('secret');
    expect(() => parseWarmPrompts('[{"messages": []},')).toThrow('the list: is not JSON');
  });

  it('limits how many there are', () => {
    expect(() => parseWarmPrompts('{"messages":[]}\n'.repeat(1001))).toThrow('more than 1000 prompts');
  });
});

it('a file that cannot be used is reported at the start', () => {
  const file = join(newFolder(), 'warm.jsonl');
  expect(warmPromptsProblems(undefined)).toEqual([]);
  expect(warmPromptsProblems(file)).toEqual([`WARM_PROMPTS: ${file}: is missing`]);
  writeFileSync(file, '{');
  expect(warmPromptsProblems(file)).toEqual([`WARM_PROMPTS: ${file}: line 1: is not JSON`]);
});
