import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { readSettings } from './read-settings.ts';
import { unquote } from './unquote.ts';

describe('unquote', () => {
  it.each([
    ['"demo"', 'demo'],
    ["'demo'", 'demo'],
    ['" demo "', 'demo'],
    ['""', ''],
    [`'"demo"'`, 'demo'],
    [`"it's"`, "it's"],
    [`"--temp '0.5'"`, "--temp '0.5'"],
    ['"a", "b"', 'a,b'],
    [`'a','b'`, 'a,b'],
  ])('takes the quotes off %s', (text, bare) => expect(unquote(text)).toBe(bare));

  it.each(['demo', '"', '"demo', "demo'", `"demo'`, '"a b" "c d"', `'{"a":1}' 'b'`, '"a",b', ''])(
    'leaves %s alone',
    (text) => expect(unquote(text)).toBeUndefined(),
  );
});

describe('quotes around a value', () => {
  const quoted: Record<string, string> = {
    ...{ MODEL_ALIAS: '"demo"', DATA_DIR: "'/srv/x'", API_KEYS: '"app:sk-0123456789abcdef"', PORT: "'9000'" },
    ...{ HOST: '"::1"\r', MODEL_PATH: ' "/m.gguf" ', LOG_FORMAT: "'json'", QUEUE_TIMEOUT: '"90s"' },
    ...{
      CORS_ORIGINS: '"https://a.example","https://b.example"',
      EXTRA_ARGS: `"--temp '0.5'"`,
      HF_TOKEN: '""',
    },
  };

  it('are taken off, of every kind, with a warning for each and no word of a secret', () => {
    const { settings, problems, warnings } = readSettings(quoted);
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      ...{ MODEL_ALIAS: ['demo'], DATA_DIR: '/srv/x', API_KEYS: 'app:sk-0123456789abcdef', PORT: 9000 },
      ...{ HOST: '::1', MODEL_PATH: '/m.gguf', LOG_FORMAT: 'json', QUEUE_TIMEOUT: 90_000 },
      ...{ CORS_ORIGINS: ['https://a.example', 'https://b.example'], EXTRA_ARGS: "--temp '0.5'" },
    });
    expect(settings.HF_TOKEN).toBeUndefined();
    const words = 'ignoring the quotes around the value; remove them where the variable is set';
    expect(warnings.toSorted()).toEqual(
      Object.keys(quoted)
        .map((name) => `${name}: ${words}`)
        .toSorted(),
    );
  });

  it('are taken off the name of a file, and off what it holds', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('token'), '\ufeff"hf_x"\r\n');
    const { settings, problems } = readSettings({ HF_TOKEN_FILE: `'${folder.file('token')}'\r` });
    expect([settings.HF_TOKEN, problems]).toEqual(['hf_x', []]);
  });
});
