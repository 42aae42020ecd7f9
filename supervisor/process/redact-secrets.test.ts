import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../settings/read-settings.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import {
  createSecretRedactor,
  environmentSecrets,
  keyFileSecrets,
  redactArguments,
  settingSecrets,
} from './redact-secrets.ts';

const env = {
  API_KEYS:
    'one:sk-first-0123456789, two : sk-second-0123456789 ,three:three3-0123456789:60,four:four4-0123456789:60:2027-01-01T00:00:00Z,five:five5-0123456789::2027-01-01T00:00:00Z,"six:six66-0123456789",seven:"seven-0123456789",eight:shortie',
  HF_TOKEN: 'hf_abcdefgh',
  REDIS_URL: 'redis://me:redis%2Fpass"word@cache:6379/0',
  BACKEND_API_KEY: 'back"end/key+of ours',
  MODEL_PATH: '/models/a.gguf',
};
const others = {
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector-token,x-team=team-password',
  HTTPS_PROXY: 'http://proxyuser:proxypassword@proxy:3128',
  AWS_SECRET: 'aws-secret-value',
  SOME_TOKEN: 'token-of-others',
  PATH: '/usr/bin:/bin',
};
const hidden = createSecretRedactor([
  ...settingSecrets(readSettings(env).settings),
  ...environmentSecrets(others),
  'the-backend-key',
]);
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the output of a child is shown', () => {
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

  it.each([
    ['a key of two fields', 'sk-first-0123456789'],
    ['a key with blanks around it', 'sk-second-0123456789'],
    ['a key with a limit', 'three3-0123456789'],
    ['a key with a limit and an end', 'four4-0123456789'],
    ['a key with an end alone', 'five5-0123456789'],
    ['a key in an entry in quotes', 'six66-0123456789'],
    ['a key in quotes', 'seven-0123456789'],
    ['a key that is too short to be one', 'shortie'],
    ['a minted key of no list', 'sk-koatZp1cm4YwPOssZch48UWVu8v1MC7OkRC81pRJNEI'],
    ['a token of Hugging Face', 'hf_abcdefgh'],
    ['a password as it stands in its address', 'redis%2Fpass"word'],
    ['a password', 'redis/pass"word'],
    ['a name and a password for a header', base64('me:redis/pass"word')],
    ['a backend key', 'back"end/key+of ours'],
    ['a backend key in an address', encodeURIComponent('back"end/key+of ours')],
    ['a backend key in an address, in lower case', 'back%22end%2fkey%2bof%20ours'],
    ['a backend key in JSON', 'back\\"end/key+of ours'],
    ['a backend key in base64', base64('back"end/key+of ours')],
    ['a backend key as a password without a name', base64(':back"end/key+of ours')],
    ["a collector's token", 'collector-token'],
    ["a collector's second header", 'team-password'],
    ["a proxy's password", 'proxypassword'],
    ["a proxy's name and password", base64('proxyuser:proxypassword')],
    ["others' secret", 'aws-secret-value'],
    ["others' token", 'token-of-others'],
  ])('without %s', (_, secret) => {
    const shown = hidden(`the secret is <${secret}>, and more`);
    expect(shown).toBe('the secret is <[secret]>, and more');
  });

  it.each(['memory', 'default', '/usr/bin'])(
    'but with an ordinary word that the environment calls a key: %s',
    (word) => {
      const show = createSecretRedactor(
        environmentSecrets({ SORT_KEY: word, CACHE_URL: 'redis://default@cache' }),
      );
      expect(show(`out of ${word} in the default`)).toBe(`out of ${word} in the default`);
    },
  );

  it.each(['Authorization: Basic YWJjOmRlZg==', 'authorization: bearer some.token'])(
    'without what follows %j',
    (line) => {
      expect(hidden(line)).toMatch(/^authorization: (?:basic|bearer) \[secret\]$/i);
    },
  );

  it('without the secrets of a legacy key file, valid or not, however many', async () => {
    await using folder = await temporaryFolder();
    const lines = Array.from({ length: 5000 }, (_, n) => `key${n}:secret-of-key-${n}-0123456789:60`);
    writeFileSync(folder.file('api_keys.txt'), [...lines, 'not good:bad-line-0123456789:never'].join('\r\n'));
    const keys = keyFileSecrets({ AUTH_KEYS_FILE: undefined, dataDir: folder.path });
    const show = createSecretRedactor([], keys);
    expect(
      show('a secret-of-key-4999-0123456789, "bad-line-0123456789"; not secret-of-key-5000-0123456789'),
    ).toBe('a [secret], "[secret]"; not secret-of-key-5000-0123456789');
  });

  it.each(['keys.json', 'api_keys.txt'])(
    'and %s that is not there or in our own form has none',
    async (name) => {
      await using folder = await temporaryFolder();
      const files = { AUTH_KEYS_FILE: folder.file(name), dataDir: folder.path };
      expect(keyFileSecrets(files)).toEqual([]);
      writeFileSync(folder.file(name), '{"version":1,"keys":[]}');
      expect(keyFileSecrets(files)).toEqual([]);
    },
  );

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
    expect(redactArguments(args, hidden)).toEqual([
      ...['-m', '/models/a.gguf', '--hf-token', '[secret]', '--api-key=[secret]'],
      ...['-mu', 'https://host/x.gguf?…', '-c', '8'],
    ]);
  });
});
