import { describe, expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { hide, secretsOf, showArguments } from './without-secrets.ts';

const env = {
  API_KEYS: 'one:sk-first-0123456789,two:sk-second-0123456789',
  HF_TOKEN: 'hf_abcdefgh',
  REDIS_URL: 'redis://:redis-password@cache:6379/0',
  MODEL_PATH: '/models/a.gguf',
};
const hidden = hide([...secretsOf(readSettings(env).settings), 'the-backend-key']);

describe('what a child says is shown', () => {
  it.each([
    ['all of sk-second-0123456789 here', 'all of [secret] here'],
    ['Bearer hf_abcdefgh, the-backend-key', 'Bearer [secret], [secret]'],
    ['cannot reach redis://:redis-password@cache:6379/1', 'cannot reach redis://cache:6379/1'],
    ["Download 'https://me:pw@host/x.gguf?sig=abc&e=1' failed", "Download 'https://host/x.gguf?…' failed"],
    [
      'llama_model_load: failed to load model /models/a.gguf?',
      'llama_model_load: failed to load model /models/a.gguf?',
    ],
  ])('%j as %j', (line, shown) => {
    expect(hidden(line)).toBe(shown);
  });

  it('without secrets in the arguments', () => {
    const args = [
      '-m',
      '/models/a.gguf',
      '--hf-token',
      'x',
      '--api-key=y',
      '-mu',
      'https://host/x.gguf?sig=abc',
      '-c',
      '8',
    ];
    expect(showArguments(args, hidden)).toEqual([
      ...['-m', '/models/a.gguf', '--hf-token', '[secret]', '--api-key=[secret]'],
      ...['-mu', 'https://host/x.gguf?…', '-c', '8'],
    ]);
  });
});
