import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { ggufBytes } from '../../cli/demo-model/gguf-writer.ts';
import { speculationArguments } from './speculation-arguments.ts';
import {
  parseSpeculationTypes,
  readSpeculationTypes,
  readSpeculationTypesSync,
} from './speculation-types.ts';

const model = { kind: 'hugging-face', repo: 'u/r' } as const;
const plain = { model, draftModel: undefined, extraArgs: [] };
const line = (options: Partial<Parameters<typeof speculationArguments>[0]>) =>
  speculationArguments({ ...plain, ...options }).join(' ');

it('names no type for a draft model where llama-server needs none', () => {
  const draftModel = '/d.gguf';
  expect(line({})).toBe('');
  for (const speculationTypes of [undefined, [], ['ngram-simple']])
    expect(line({ draftModel, speculationTypes })).toBe('-md /d.gguf');
  expect(line({ draftModel, speculationTypes: ['draft-simple', 'ngram-mod'] })).toBe(
    '-md /d.gguf --spec-type draft-simple',
  );
});

it('leaves the type to EXTRA_ARGS', () => {
  const extraArgs = ['--spec-type', 'draft-eagle3'];
  expect(line({ draftModel: '/d.gguf', extraArgs, speculationTypes: ['draft-simple'] })).toBe('-md /d.gguf');
});

it('uses the type for n-grams that this build has', () => {
  expect(line({ speculate: 'ngram' })).toBe('--spec-type ngram-mod');
  expect(line({ speculate: 'ngram', speculationTypes: ['ngram-simple', 'ngram-mod'] })).toBe(
    '--spec-type ngram-mod',
  );
  expect(line({ speculate: 'ngram', speculationTypes: ['ngram-simple'] })).toBe('--spec-type ngram-simple');
  expect(line({ speculate: 'mtp' })).toBe('--spec-type draft-mtp');
});

it('knows draft models that are the continuation of another model', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'corral-draft-'));
  const draftModel = join(folder, 'eagle.gguf');
  await writeFile(draftModel, ggufBytes({ 'general.architecture': { text: 'eagle3' } }, []));
  expect(line({ draftModel, speculationTypes: ['draft-simple', 'draft-eagle3'] })).toContain('draft-eagle3');
  await rm(folder, { recursive: true });
});

it.each([
  ['--spec-type none,draft-simple,ngram-mod\n    comma-separated', ['draft-simple', 'ngram-mod']],
  ['  --spec-type [none|ngram-cache|ngram-mod]   type', ['ngram-cache', 'ngram-mod']],
  ['--model-draft FNAME  draft model', []],
])('reads the types from the help %j', (help, expected) => {
  expect(parseSpeculationTypes(help)).toEqual(expected);
});

it('reads the types of the real llama-server', async () => {
  const types = await readSpeculationTypes(inject('engine'));
  expect(types).toContain('ngram-mod');
  expect(readSpeculationTypesSync(inject('engine'))).toEqual(types);
});

it('gets no types from a program that does not start', async () => {
  const broken = { command: '/nowhere/llama-server', args: [], origin: 'PATH' } as const;
  expect(await readSpeculationTypes(broken)).toEqual([]);
  expect(readSpeculationTypesSync(broken)).toEqual([]);
});
