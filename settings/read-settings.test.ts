import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { readSettings, unquote } from './read-settings.ts';
import { removedVariables } from './removed-variables.ts';
import { sections, type Variable } from './variable.ts';
import { variables } from './variables.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const file = join(folder, 'secret');
  writeFileSync(file, text);
  return file;
}

describe('readSettings', () => {
  it('uses the default of every unset variable', () => {
    const { settings, problems, warnings, sources } = readSettings({});
    expect([problems, warnings]).toEqual([[], []]);
    for (const [name, variable] of Object.entries<Variable>(variables)) {
      expect(settings[name as keyof typeof settings]).toEqual(variable.default);
      expect(sources[name as keyof typeof sources]).toBe('default');
    }
  });

  it('shows no user and no password of a URL that is invalid', () => {
    const { problems } = readSettings({
      OIDC_ISSUER: 'https://me:secret@login.example/a@b',
      BACKEND_URL: 'http://me:secret@127.0.0.1:8080',
      MODEL_URL: 'ftp://me:se@cret@models.example',
    });
    expect(JSON.stringify(problems)).not.toMatch(/me:|secret|cret@/);
    expect(problems.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('invalid value "https://***@login.example/a@b"'),
    );
  });

  it('reports all invalid values together, each with the variable, the value and what is valid', () => {
    const { problems } = readSettings({ PORT: 'http', AUTH_ENABLED: 'maybe', QUEUE_TIMEOUT: '5 min' });
    expect(problems.map(({ message }) => message).toSorted()).toEqual([
      'AUTH_ENABLED: invalid value "maybe"; expected true or false (also 1, yes, on, 0, no, off)',
      'PORT: invalid value "http"; expected a port number from 0 to 65535',
      expect.stringMatching(/^QUEUE_TIMEOUT: invalid value "5 min"; expected a duration/),
    ]);
  });

  it('rejects NUL characters from any source', () => {
    const { settings, problems } = readSettings({
      EXTRA_ARGS: '--temp "0\0"',
      API_KEYS_FILE: fileWith('app:\0sk-1'),
    });
    expect([settings.EXTRA_ARGS, settings.API_KEYS]).toEqual([undefined, undefined]);
    expect(problems.map(({ message }) => message)).toEqual([
      'EXTRA_ARGS: invalid value "--temp \\"0\\u0000\\""; expected text without NUL characters',
      'API_KEYS: invalid value; expected text without NUL characters',
    ]);
  });

  it('treats an empty value as unset', () => {
    const { settings, problems } = readSettings({ PORT: '', API_KEYS: '  ', MODEL_ALIAS: '' });
    expect([settings.PORT, settings.API_KEYS, settings.MODEL_ALIAS, problems]).toEqual([
      8000,
      undefined,
      undefined,
      [],
    ]);
  });

  it('reads a secret from the file named by <NAME>_FILE, without the line end', () => {
    const { settings, sources, problems } = readSettings({ API_KEYS_FILE: fileWith('app:sk-1\n') });
    expect([settings.API_KEYS, sources.API_KEYS, problems]).toEqual(['app:sk-1', 'file', []]);
  });

  it('reports an unreadable file and a secret that is set twice, without showing the secret', () => {
    const missing = readSettings({ API_KEYS_FILE: join(folder, 'missing') });
    expect(missing.problems).toEqual([
      {
        variable: 'API_KEYS_FILE',
        message: expect.stringMatching(/^API_KEYS_FILE: cannot read .*missing \(ENOENT\)$/),
      },
    ]);
    const twice = readSettings({ API_KEYS: 'app:sk-tell', API_KEYS_FILE: fileWith('app:sk-nobody') });
    expect(twice.problems.map(({ message }) => message)).toEqual([
      'API_KEYS and API_KEYS_FILE are both set: unset one of them',
    ]);
  });

  it('reads no file for a variable that is not secret', () => {
    expect(readSettings({ PORT_FILE: fileWith('9000') }).settings.PORT).toBe(8000);
  });

  it.each([
    ['MAX_QUEUE_SIZ', 'MAX_QUEUE_SIZE'],
    ['MAX_CONCURENT_REQUESTS', 'MAX_CONCURRENT_REQUESTS'],
    ['maxQueueSize', 'MAX_QUEUE_SIZE'],
    ['AUTHKEYSFILE', 'AUTH_KEYS_FILE'],
  ])('suggests for %s the name %s', (given, meant) => {
    expect(readSettings({ [given]: '1' }).warnings).toEqual([
      `unknown variable ${given}: did you mean ${meant}?`,
    ]);
  });

  it.each(Object.entries(removedVariables))(
    'suggests a replacement for %s of llama-gguf-inference',
    (name, instead) => {
      expect(readSettings({ [name]: '1' }).warnings).toEqual([
        `${name} (llama-gguf-inference) has no effect: ${instead}`,
      ]);
      expect(readSettings({ [name]: '' }).warnings).toEqual([]);
    },
  );

  it('ignores variables of other programs', () => {
    const others = {
      PATH: '/bin',
      HOME: '/',
      PORTS: '1',
      HOSTNAME: 'x',
      NVIDIA_VISIBLE_DEVICES: 'all',
      LOG: 'x',
      CTXT: '1',
    };
    expect(readSettings(others).warnings).toEqual([]);
  });
});

describe('every variable', () => {
  it.each(Object.entries<Variable>(variables))(
    '%s has a description and a valid default',
    (name, variable) => {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/);
      expect(sections).toContain(variable.section);
      expect(variable.summary).toMatch(/^[A-Z].*\.$/s);
      if (variable.default !== undefined) {
        expect(variable.kind.parse(variable.kind.format(variable.default))).toEqual(variable.default);
      }
      if (/(?<!PER_|MAX_)KEYS?$|TOKEN$|PASSWORD$/.test(name)) expect(variable.secret).toBe(true);
    },
  );
});

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
  ])('removes the quotes of %s', (text, bare) => expect(unquote(text)).toBe(bare));

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

  it('are removed for every kind of variable, with one warning each that does not show a secret', () => {
    const { settings, problems, warnings } = readSettings(quoted);
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      ...{ MODEL_ALIAS: ['demo'], DATA_DIR: '/srv/x', API_KEYS: 'app:sk-0123456789abcdef', PORT: 9000 },
      ...{ HOST: '::1', MODEL_PATH: '/m.gguf', LOG_FORMAT: 'json', QUEUE_TIMEOUT: 90_000 },
      ...{ CORS_ORIGINS: ['https://a.example', 'https://b.example'], EXTRA_ARGS: "--temp '0.5'" },
    });
    expect(settings.HF_TOKEN).toBeUndefined();
    const warning = 'ignoring the quotes around the value; remove them where the variable is set';
    expect(warnings.toSorted()).toEqual(
      Object.keys(quoted)
        .map((name) => `${name}: ${warning}`)
        .toSorted(),
    );
  });

  it('are removed from the name of a file and from its content', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('token'), '\ufeff"hf_x"\r\n');
    const { settings, problems } = readSettings({ HF_TOKEN_FILE: `'${folder.file('token')}'\r` });
    expect([settings.HF_TOKEN, problems]).toEqual(['hf_x', []]);
  });
});
