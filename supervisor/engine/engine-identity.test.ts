import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { newFolder } from '../../test/harness/start-deployment.ts';
import { identifyEngine } from './engine-identity.ts';
import type { InstalledEngine } from './installed-engine.ts';
import type { EngineOptions } from './llama-arguments.ts';

let folder: string;
let program: InstalledEngine;
let options: EngineOptions;
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = newFolder();
  mkdirSync(folder, { recursive: true });
  for (const name of ['llama-server', 'm.gguf', 'a.gguf', 't.jinja']) writeFileSync(at(name), name);
  program = { command: at('llama-server'), args: [], origin: 'PATH' };
  options = {
    model: { kind: 'file', path: at('m.gguf') },
    publicName: 'm',
    ...{ ctx: 4096, parallel: 2, ngl: 'auto', threads: 0, flashAttn: 'auto' },
    ...{ cacheTypeK: undefined, cacheTypeV: undefined, mmproj: undefined, draftModel: undefined },
    ...{ keepaliveMs: 1000, sleepIdleMs: undefined },
    extraArgs: ['--lora', `${at('a.gguf')}:0.5`, '--chat-template-file', at('t.jinja')],
  };
});

it('is the same for the same program, options and files', () => {
  expect(identifyEngine(program, options)).toBe(
    identifyEngine(program, { ...options, sleepIdleMs: 5, keepaliveMs: 9 }),
  );
});

it.each([
  ['the context', { ctx: 8192 }],
  ['the slots', { parallel: 4 }],
  ['an argument', { extraArgs: ['--temp', '0'] }],
  ['the cache type', { cacheTypeK: 'q8_0' }],
] as const)('differs with %s', (_, changed) => {
  expect(identifyEngine(program, { ...options, ...changed })).not.toBe(identifyEngine(program, options));
});

it.each(['m.gguf', 'a.gguf', 't.jinja', 'llama-server'])('differs when %s has been replaced', (name) => {
  const before = identifyEngine(program, options);
  writeFileSync(at('new'), name);
  utimesSync(at('new'), 1_900_000_000, 1_900_000_000);
  renameSync(at('new'), at(name));
  expect(identifyEngine(program, options)).not.toBe(before);
});

it('is new at each start for what llama-server downloads', () => {
  const downloaded = { ...options, model: { kind: 'hugging-face', repo: 'a/b' } } as const;
  expect(identifyEngine(program, downloaded)).not.toBe(identifyEngine(program, downloaded));
  const preset = { ...options, extraArgs: ['--mmproj-url', 'https://x.example/a.gguf'] };
  expect(identifyEngine(program, preset)).not.toBe(identifyEngine(program, preset));
});
