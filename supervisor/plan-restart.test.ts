import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { configure, type EngineConfig } from './config.ts';
import { planRestart } from './plan-restart.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plan-'));
  for (const name of ['old.gguf', 'new.gguf', 'eyes.gguf']) writeFileSync(join(folder, name), 'GGUF');
  writeFileSync(join(folder, 'text.gguf'), 'a text');
});
afterAll(() => rmSync(folder, { recursive: true }));

function running(env: Record<string, string> = {}): EngineConfig {
  const { settings } = readSettings({ MODEL_PATH: join(folder, 'old.gguf'), MODELS_DIR: folder, ...env });
  const { config } = configure(settings, {});
  if (!config?.engine) throw new Error('no configuration');
  return { ...config, engine: config.engine };
}

function planned(current: EngineConfig, changes: Record<string, string>): EngineConfig {
  const plan = planRestart(current, changes, {});
  if (!plan.ok) throw new Error(plan.problems.join('\n'));
  return plan.config;
}

function problemsOf(changes: Record<string, string>): readonly string[] {
  const plan = planRestart(running(), changes, {});
  return plan.ok ? [] : plan.problems;
}

describe('the plan of a restart', () => {
  it('selects the given model under its own name, whichever variable selected the one before', () => {
    const { engine, settings } = planned(running(), { MODEL_NAME: 'new.gguf' });
    expect(engine.model).toEqual({ kind: 'file', path: join(folder, 'new.gguf') });
    expect([engine.publicName, settings.MODEL_ALIAS]).toEqual(['new', ['new']]);
  });

  it('keeps a name that the operator has set', () => {
    const { engine } = planned(running({ MODEL_ALIAS: 'ours' }), { MODEL_NAME: 'new.gguf' });
    expect(engine.publicName).toBe('ours');
  });

  it('clears what belonged to the old model, and nothing else', () => {
    const current = running({ MMPROJ: join(folder, 'eyes.gguf'), CTX: '4096' });
    expect(planned(current, { NGL: '9' }).engine).toMatchObject({ ngl: 9, mmproj: current.engine.mmproj });
    expect(planned(current, { MODEL_NAME: 'new' }).engine).toMatchObject({ mmproj: undefined, ctx: 4096 });
  });

  it('clears what was set for the demo', () => {
    const demo = running({ MODEL_ALIAS: 'demo', THREADS: '1' });
    const current = { ...demo, givenModelIndependentSettings: readSettings({ MODELS_DIR: folder }).settings };
    expect(planned(current, { CTX: '512' }).engine).toMatchObject({ publicName: 'demo', threads: 1 });
    expect(planned(current, { MODEL_NAME: 'new' }).engine).toMatchObject({ publicName: 'new', threads: 0 });
  });

  it('is based on the restart before it, and unsets empty variables', () => {
    const changed = planned(running(), { MODEL_NAME: 'new.gguf', CTX: '4096', EXTRA_ARGS: '--temp 0' });
    const again = planned(changed, { EXTRA_ARGS: '', PARALLEL: '3' });
    expect(again.engine).toMatchObject({ publicName: 'new', ctx: 4096, parallel: 3, extraArgs: [] });
  });

  it('changes nothing without changes', () => {
    const current = running({ CTX: '512' });
    expect(planned(current, {})).toEqual(current);
  });
});

describe('a restart is rejected', () => {
  it.each([
    [{ PORT: '80' }, /^PORT: a restart cannot change this variable, only these: MODEL_PATH, /],
    [{ LLAMA_SERVER_BIN: '/bin/sh' }, /^LLAMA_SERVER_BIN: a restart cannot change this variable/],
    [{ HF_TOKEN_FILE: '/etc/passwd' }, /^HF_TOKEN_FILE: a restart cannot change this variable/],
    [{ CTX: 'large' }, /^CTX: invalid value "large"; expected "auto" or an integer/],
    [{ EXTRA_ARGS: '--api-key x' }, /^EXTRA_ARGS: --api-key is not allowed: /],
    [{ EXTRA_ARGS: '"open' }, /^EXTRA_ARGS: unterminated quote/],
    [{ EXTRA_ARGS: '--chat-template-file /etc/passwd' }, /^EXTRA_ARGS: --chat-template-file can only be set/],
    [{ EXTRA_ARGS: '--temp "0\0"' }, /^EXTRA_ARGS: invalid value "--temp .*"; expected/],
    [{ MODEL_PATH: `/${'a'.repeat(5000)}` }, /^model: cannot access .* \(ENAMETOOLONG\)/],
    [{ MODEL_NAME: '../../../../../../../etc/passwd' }, /^model: .* is not a GGUF file/],
    [{ MODEL_NAME: 'nowhere' }, /^MODEL_NAME: nowhere does not exist in .*found in .*new\.gguf/],
    [{ MODEL_NAME: 'text.gguf' }, /^model: .*text\.gguf/],
    [{ MODEL_PATH: '/a\0b' }, /^MODEL_PATH: invalid value ".*"; expected/],
    [{ HF_REPO: '../../etc' }, /^HF_REPO: invalid value "..\/..\/etc"; expected user\/repo/],
  ])('with invalid changes: %j', (changes, words) => {
    const problems = problemsOf(changes);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(words);
  });

  it('but keeps the EXTRA_ARGS of the start, whatever they are', () => {
    const { engine } = planned(running({ EXTRA_ARGS: '--chat-template-file t.jinja' }), { CTX: '512' });
    expect(engine.extraArgs).toEqual(['--chat-template-file', 't.jinja']);
  });

  it('without showing a secret', () => {
    expect(problemsOf({ HF_TOKEN: 'hf_secret', CTX: '-1' }).join()).not.toContain('hf_secret');
  });
});
