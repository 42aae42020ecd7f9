import { describe, expect, it } from 'vitest';
import { getStreamFormatter } from './response-format.ts';
import { hasEnded, normalizeErrorEvents } from './stream-end.ts';

const broken = { status: 502, type: 'server_error', code: 'bad_gateway', message: 'It "broke"\noff.' };

describe('hasEnded', () => {
  it.each([
    ['openai', 'data: {}\n\ndata: [DONE]\n\n'],
    ['responses', 'event: response.incomplete\ndata: {}\n\n'],
    ['responses', 'event: response.failed\ndata: {}\n\n'],
    ['anthropic', 'event: message_stop\ndata: {}\n\n'],
    ['anthropic', 'event: error\ndata: {}\n\n'],
    ['native', 'data: {"content":"","stop":true,"timings":{}}\n\n'],
    ['openai', 'data: {"error":{"message":"x"}}\n\n'],
    ['openai', 'error: {"code":500}\n\n'],
  ] as const)('%s: %j', (dialect, tail) => expect(hasEnded(dialect, tail)).toBe(true));

  it.each([
    ['openai', ''],
    ['openai', 'data: {"content":"data: [DONE]"}\n\n'],
    ['openai', 'data: {"content":"error: {}"}\n\n'],
    ['responses', 'event: response.created\ndata: {"x":"event: response.completed"}\n\n'],
    ['responses', 'event: response.completed.soon\n'],
    ['anthropic', 'data: [DONE]\n\n'],
    ['native', 'data: {"content":"\\"stop\\":true","stop":false}\n\n'],
  ] as const)('not %s: %j', (dialect, tail) => expect(hasEnded(dialect, tail)).toBe(false));
});

describe('the failure of a stream', () => {
  it.each(['openai', 'native', 'anthropic'] as const)('is one event for %s', (dialect) => {
    const event = getStreamFormatter(dialect).error(broken);
    expect(event.match(/\n\n/g)).toHaveLength(1);
    expect(event.endsWith('\n\n')).toBe(true);
    const data = JSON.parse(event.slice(event.indexOf('data: ') + 6));
    expect(JSON.stringify(data)).toContain(JSON.stringify(broken.message));
    expect(hasEnded(dialect, event)).toBe(true);
  });

  it('is told to Claude Code in the words that it looks for', () => {
    const overflow = {
      ...broken,
      status: 400,
      code: 'context_length_exceeded',
      message: 'request (900 tokens) exceeds the available context size (512 tokens), try increasing it',
    };
    expect(getStreamFormatter('anthropic').error(overflow)).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"invalid_request_error",' +
        '"message":"prompt is too long: 900 tokens > 512 maximum"}}\n\n',
    );
    expect(getStreamFormatter('openai').error(overflow)).toContain('exceeds the available context size');
  });
});

describe('mendErrorEvents', () => {
  it('touches nothing but error events', () => {
    const events = 'data: {"content":"error: {\\"a\\":1}"}\n\n:\n\ndata: {"error":null}\n\n';
    const mended = normalizeErrorEvents(getStreamFormatter('openai'), Buffer.from(events), true).toString();
    expect(mended.startsWith('data: {"content":"error: {\\"a\\":1}"}\n\n:\n\n')).toBe(true);
    const calm = Buffer.from('data: {"content":"x"}\n\n');
    expect(normalizeErrorEvents(getStreamFormatter('openai'), calm, true)).toBe(calm);
  });

  it('gives both forms of llama-server a code that is a word', () => {
    for (const form of [
      'data: {"error":{"code":500,"message":"no"}}\n\n',
      'error: {"code":500,"message":"no"}\n\n',
    ]) {
      const mended = normalizeErrorEvents(getStreamFormatter('openai'), Buffer.from(form), true).toString();
      expect(JSON.parse(mended.slice('data: '.length)).error).toEqual({
        message: 'no',
        type: 'server_error',
        param: null,
        code: 'internal_error',
      });
      expect(mended.endsWith('}\n\n')).toBe(true);
    }
  });
});
