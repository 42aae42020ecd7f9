import { describe, expect, it } from 'vitest';
import { parseChunk, parseError } from './stream-chunk.ts';

const piece = (value: unknown) => parseChunk(JSON.stringify(value));

describe('parseChunk', () => {
  it.each([
    ['text of a chat', { choices: [{ delta: { content: 'Hi' } }] }],
    ['thoughts', { choices: [{ delta: { reasoning_content: 'hm' } }] }],
    ['a tool call', { choices: [{ delta: { tool_calls: [{ index: 0 }] } }] }],
    ['a completion', { choices: [{ text: 'Hi' }] }],
    ['a complete response', { choices: [{ message: { content: 'Hi' } }] }],
  ])('recognizes %s as content', (_, value) => {
    expect(piece(value).hasContent).toBe(true);
  });

  it.each([
    ['the role', { choices: [{ delta: { role: 'assistant', content: null } }] }],
    ['an empty text', { choices: [{ delta: { content: '' } }] }],
    ['usage alone', { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } }],
    ['nothing', null],
    ['another thing', 'words'],
  ])('does not count %s as content', (_, value) => {
    expect(piece(value).hasContent).toBe(false);
  });

  it('reads usage and the end mark', () => {
    expect(piece({ choices: [{ delta: {}, finish_reason: 'stop' }] }).isLast).toBe(true);
    expect(piece({ choices: [{ delta: {}, finish_reason: null }] }).isLast).toBe(false);
    expect(piece({ usage: { prompt_tokens: 3, completion_tokens: 4 } }).usage).toEqual({
      input: 3,
      output: 4,
    });
  });

  it('reports the code or type of an error, never its message', () => {
    expect(piece({ error: { code: 'queue_full', message: 'secret' } }).error).toBe('queue_full');
    expect(piece({ error: { code: null, type: 'server_error' } }).error).toBe('server_error');
    expect(piece({ error: { code: 503 } }).error).toBe('503');
    expect(piece({ error: 'secret words' }).error).toBe('error');
    expect(piece({ error: { code: 'secret words with blanks' } }).error).toBe('error');
  });
});

describe('parseError', () => {
  it('returns nothing for invalid JSON', () => {
    expect(parseError('<html>502</html>')).toBeUndefined();
    expect(parseError('{"error":{"code":"overloaded"}}')).toBe('overloaded');
  });
});
