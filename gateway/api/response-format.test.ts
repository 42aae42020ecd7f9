import { describe, expect, it } from 'vitest';
import { getStreamFormatter, normalizeErrorEvents } from './response-format.ts';
import { hasEnded } from './stream-markers.ts';

const broken = { status: 502, type: 'server_error', code: 'bad_gateway', message: 'It "broke"\noff.' };

describe('StreamFormatter.error', () => {
  it.each(['openai', 'native', 'anthropic'] as const)('is one event for %s', (dialect) => {
    const event = getStreamFormatter(dialect).error(broken);
    expect(event.match(/\n\n/g)).toHaveLength(1);
    expect(event.endsWith('\n\n')).toBe(true);
    const data = JSON.parse(event.slice(event.indexOf('data: ') + 6));
    expect(JSON.stringify(data)).toContain(JSON.stringify(broken.message));
    expect(hasEnded(dialect, event)).toBe(true);
  });

  it('uses the message that Claude Code looks for when a prompt is too long', () => {
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

describe('normalizeErrorEvents', () => {
  it('changes error events only', () => {
    const events = 'data: {"content":"error: {\\"a\\":1}"}\n\n:\n\ndata: {"error":null}\n\n';
    const rewritten = normalizeErrorEvents(
      getStreamFormatter('openai'),
      Buffer.from(events),
      true,
    ).toString();
    expect(rewritten.startsWith('data: {"content":"error: {\\"a\\":1}"}\n\n:\n\n')).toBe(true);
    const other = Buffer.from('data: {"content":"x"}\n\n');
    expect(normalizeErrorEvents(getStreamFormatter('openai'), other, true)).toBe(other);
  });

  it('gives both forms of error event of llama-server a code that is a word', () => {
    for (const form of [
      'data: {"error":{"code":500,"message":"no"}}\n\n',
      'error: {"code":500,"message":"no"}\n\n',
    ]) {
      const rewritten = normalizeErrorEvents(
        getStreamFormatter('openai'),
        Buffer.from(form),
        true,
      ).toString();
      expect(JSON.parse(rewritten.slice('data: '.length)).error).toEqual({
        message: 'no',
        type: 'server_error',
        param: null,
        code: 'internal_error',
      });
      expect(rewritten.endsWith('}\n\n')).toBe(true);
    }
  });
});
