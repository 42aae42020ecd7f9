import { expect, it } from 'vitest';
import { promptText, sortKey } from './sort-key.ts';

const key = Buffer.alloc(32, 1);
const chat = (system: string, user: string) =>
  promptText('/v1/chat/completions', {
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ],
  });
const [long, other] = ['a'.repeat(8000), 'b'.repeat(8000)];

it('lines with the longest common beginning are next to each other', () => {
  const prompts = [
    chat(long, 'one'),
    chat(other, 'two'),
    chat(long, 'three'),
    chat(`${long.slice(0, 2000)}c`, 'four'),
    chat(other, 'five'),
  ];
  const sorted = prompts
    .map((prompt) => ({ prompt, sort: sortKey(prompt, undefined) }))
    .toSorted((a, b) => Buffer.compare(a.sort, b.sort))
    .map(({ prompt }) => prompts.indexOf(prompt));
  const distance = (a: number, b: number) => Math.abs(sorted.indexOf(a) - sorted.indexOf(b));
  expect([distance(0, 2), distance(1, 4)]).toEqual([1, 1]);
  expect(Math.min(distance(0, 3), distance(2, 3))).toBe(1);
});

it('is the same for the same beginning of 16 KiB, and of one length', () => {
  const beginning = 'x'.repeat(16_384);
  expect(sortKey(`${beginning}1`, key)).toEqual(sortKey(`${beginning}2`, key));
  expect([sortKey('', key).length, sortKey(beginning, key).length]).toEqual([32, 32]);
});

it('depends on the key', () => {
  expect(sortKey('x', key)).not.toEqual(sortKey('x', undefined));
});

it.each([
  ['/v1/completions', { prompt: 'P', model: 'm' }, '"P"'],
  ['/v1/responses', { input: 'P', instructions: 'I' }, '\n"I"\n"P"'],
  ['/v1/messages', { messages: [1], system: 'S', tools: [2] }, '[2]\n"S"\n[1]'],
  ['/v1/embeddings', { input: 'P' }, ''],
  ['/v1/rerank', { query: 'P' }, ''],
])('the prompt at %s begins with what the engine reads first', (endpoint, body, text) => {
  expect(promptText(endpoint, body)).toBe(text);
});
