import { describe, expect, it } from 'vitest';
import { UsageError } from '../run-command.ts';
import { readTarget } from './target.ts';

describe('readTarget', () => {
  it.each([
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000', '/v1'],
    ['http://127.0.0.1:8000/v1/', 'http://127.0.0.1:8000', '/v1'],
    ['https://api.example.com/openai/v1', 'https://api.example.com', '/openai/v1'],
    ['http://host:1/v1/chat/completions', 'http://host:1', '/v1'],
    ['http://host:1/v1/completions', 'http://host:1', '/v1'],
  ])('finds the API at %s', (text, origin, basePath) => {
    expect(readTarget(text)).toMatchObject({ origin, basePath, socketPath: undefined });
  });

  it('accepts a unix socket', () => {
    expect(readTarget('unix:/run/my%20llama.sock')).toMatchObject({
      url: 'unix:/run/my llama.sock',
      socketPath: '/run/my llama.sock',
      basePath: '/v1',
    });
  });

  it('shows no password', () => {
    expect(readTarget('http://me:secret@host/v1?key=secret').url).toBe('http://host/v1');
  });

  it.each(['localhost:8000', 'ftp://host', 'nonsense'])('rejects %s', (text) => {
    expect(() => readTarget(text)).toThrow(UsageError);
  });
});
