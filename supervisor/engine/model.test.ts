import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelFileProblems } from '../../models/gguf-file.ts';
import { chooseModel, defaultModelName } from './model.ts';

let folder: string;
let models: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-'));
  models = join(folder, 'models');
  mkdirSync(join(models, 'sub'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (name: string, content = 'GGUF and more') => {
  writeFileSync(join(models, name), content);
  return join(models, name);
};
const none = {
  MODEL_PATH: undefined,
  MODEL_NAME: undefined,
  MODELS_DIR: undefined,
  HF_REPO: undefined,
  MODEL_URL: undefined,
};
const choose = (settings: Partial<typeof none | Record<keyof typeof none, string>>) =>
  chooseModel({ ...none, ...settings }, folder);

describe('the model', () => {
  it('is MODEL_PATH before all others, with a warning about the ignored ones', () => {
    const choice = choose({ MODEL_PATH: '/m/a.gguf', MODEL_NAME: 'b', HF_REPO: 'u/r' });
    expect(choice.model).toEqual({ kind: 'file', path: '/m/a.gguf' });
    expect(choice.warnings).toEqual([
      'MODEL_NAME is ignored because MODEL_PATH is set',
      'HF_REPO is ignored because MODEL_PATH is set',
    ]);
  });

  it('is found by its name in the data folder or in MODELS_DIR, with or without its extension', () => {
    const path = put('sub/a.gguf');
    expect(choose({ MODEL_NAME: 'sub/a.gguf' }).model).toEqual({ kind: 'file', path });
    expect(choose({ MODEL_NAME: 'a', MODELS_DIR: join(models, 'sub') }).model).toEqual({
      kind: 'file',
      path,
    });
  });

  it('may be left to llama-server to download', () => {
    expect(choose({ HF_REPO: 'u/r:Q4' }).model).toEqual({ kind: 'hugging-face', repo: 'u/r:Q4' });
    const url = 'https://h/x/m%20one.gguf?download=true';
    expect(choose({ MODEL_URL: url }).model).toEqual({ kind: 'url', url, path: join(models, 'm one.gguf') });
  });

  it.each([
    ['https://h/m', 'm.gguf'],
    ['https://h/', 'model.gguf'],
    ['https://h/keys.json', 'keys.json.gguf'],
    ['https://h/a%2f..%2f..%2fmain.ts', 'main.ts.gguf'],
    ['https://h/a%2f..', 'model.gguf'],
    ['https://h/%2e%2e%2f.gguf', '.gguf.gguf'],
    ['https://h/%00m.gguf', 'm.gguf'],
    ['https://h/100%.gguf', '100%.gguf'],
  ])('that is downloaded can only replace a model: %s', (url, name) => {
    expect(choose({ MODEL_URL: url }).model).toEqual({ kind: 'url', url, path: join(models, name) });
  });

  it.each([
    ['with a NUL', 'a\0b'],
    ['too long', 'a'.repeat(5000)],
    ['all dots', '../'.repeat(2000)],
  ])('with an invalid name is not found: %s', (_, name) => {
    expect(choose({ MODEL_NAME: name }).problems).toEqual([
      expect.stringMatching(/^MODEL_NAME: .* does not exist in /),
    ]);
  });

  it('that is missing is reported with the existing files', () => {
    put('a.gguf');
    put('sub/b-00001-of-00002.gguf');
    put('sub/b-00002-of-00002.gguf');
    const [problem] = choose({}).problems;
    expect(problem).toContain('set MODEL_PATH, MODEL_NAME, HF_REPO or MODEL_URL');
    expect(problem).toContain(`found in ${models}: a.gguf, sub/b-00001-of-00002.gguf)`);
    expect(choose({ MODEL_NAME: 'c' }).problems).toEqual([expect.stringContaining('c does not exist in')]);
  });

  it.each(['qwen3-8b-q4_k_n', 'Qwen3-8B-Q4_K_M.ggfu'])('that is misspelt as %s is suggested', (name) => {
    put('Qwen3-8B-Q4_K_M.gguf');
    put('other.gguf');
    const meant = 'did you mean "Qwen3-8B-Q4_K_M.gguf"? found in';
    expect(choose({ MODEL_NAME: name }).problems).toEqual([expect.stringContaining(meant)]);
    expect(choose({ MODEL_NAME: 'nothing-alike' }).problems).not.toEqual([expect.stringContaining('mean')]);
  });

  it.each([
    [{ kind: 'file', path: '/m/Qwen3-8B-Q4_K_M.gguf' } as const, 'Qwen3-8B-Q4_K_M'],
    [{ kind: 'file', path: '/m/big-00001-of-00003.gguf' } as const, 'big'],
    [{ kind: 'hugging-face', repo: 'ggml-org/GLM-4.7-Flash-GGUF:Q4_K_M' } as const, 'GLM-4.7-Flash'],
    [{ kind: 'url', url: 'https://h/x?y', path: '/m/m one.gguf' } as const, 'm one'],
  ])('has a public name that is not a path: %j', (model, name) => {
    expect(defaultModelName(model)).toBe(name);
  });
});

it('the search for models in a folder is limited, and finds the nearest', () => {
  put('near.gguf');
  mkdirSync(join(models, 'sub/deep/deeper'), { recursive: true });
  writeFileSync(join(models, 'sub/deep/deeper/far.gguf'), '');
  for (let n = 0; n < 5000; n++) writeFileSync(join(models, `sub/deep/${n}`), '');
  put('sub/by.gguf');
  expect(choose({}).problems).toEqual([
    expect.stringContaining(`found in ${models}: near.gguf, sub/by.gguf)`),
  ]);
});

describe('a model file', () => {
  it('is valid if it and all its parts are GGUF', () => {
    put('b-00002-of-00002.gguf');
    expect(modelFileProblems(put('b-00001-of-00002.gguf'))).toEqual([]);
    expect(modelFileProblems(put('a.gguf'))).toEqual([]);
  });

  it('is reported for every part that is missing or broken', () => {
    put('b-00003-of-00003.gguf', '');
    expect(modelFileProblems(put('b-00001-of-00003.gguf'))).toEqual([
      `${models}/b-00002-of-00003.gguf does not exist`,
      `${models}/b-00003-of-00003.gguf is empty`,
    ]);
    expect(modelFileProblems(put('c-00002-of-00002.gguf'))).toEqual([
      expect.stringContaining(`use ${models}/c-00001-of-00002.gguf`),
    ]);
  });

  it.each([
    ['with a NUL', '/a\0b'],
    ['too long', `/${'a'.repeat(5000)}`],
  ])('with an invalid path is reported: %s', (_, path) => {
    expect(modelFileProblems(path)).toEqual([expect.stringMatching(/^cannot access .* \((?:ERR_|ENAME)/s)]);
  });

  it('is distinguished from other files', () => {
    expect(modelFileProblems(put('p.gguf', 'version https://git-lfs.github.com/spec/v1'))[0]).toContain(
      'git lfs pull',
    );
    expect(modelFileProblems(put('z.gguf', 'PK zip'))[0]).toContain('is not a GGUF file');
    expect(modelFileProblems(models)[0]).toContain('is not a regular file');
  });
});
