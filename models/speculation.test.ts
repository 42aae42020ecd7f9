import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ggufBytes } from '../cli/demo-model/gguf-writer.ts';
import { findSpeculationArgument, hasMtpLayers, resolveSpeculation } from './speculation.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'corral-speculation-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function modelWith({ architecture = 'qwen35', layers = 1, hasTensors = true }) {
  const path = join(folder, `${architecture}-${layers}-${hasTensors}.gguf`);
  const name = hasTensors ? 'blk.1.nextn.eh_proj.weight' : 'blk.1.attn_q.weight';
  const metadata = {
    'general.architecture': { text: architecture },
    [`${architecture}.nextn_predict_layers`]: { u32: layers },
  };
  await writeFile(path, ggufBytes(metadata, [{ name, shape: [1], values: new Float32Array(1) }]));
  return { kind: 'file', path } as const;
}

const draftModel = '/d.gguf';
const plain = { model: { kind: 'hugging-face', repo: 'u/r' } as const, draftModel: undefined, extraArgs: [] };

describe('a model speculates', () => {
  it('with its draft model or not at all, if nothing is chosen', () => {
    expect(resolveSpeculation(plain).method).toBe('off');
    expect(resolveSpeculation({ ...plain, draftModel })).toEqual({ method: 'draft', draftModel });
  });

  it('automatically with MTP layers, else with the draft model, never with n-grams', async () => {
    const auto = { ...plain, speculate: 'auto' } as const;
    const model = await modelWith({});
    expect(resolveSpeculation({ ...auto, model, draftModel })).toEqual({
      method: 'mtp',
      draftModel: undefined,
    });
    for (const other of [{ layers: 0 }, { hasTensors: false }, { architecture: 'glm4moe' }]) {
      const lacking = { ...auto, model: await modelWith(other) };
      expect(resolveSpeculation({ ...lacking, draftModel }).method).toBe('draft');
      expect(resolveSpeculation(lacking).method).toBe('off');
    }
  });

  it('as configured, without loading a draft model for nothing', () => {
    for (const speculate of ['off', 'ngram'] as const)
      expect(resolveSpeculation({ ...plain, draftModel, speculate })).toEqual({
        method: speculate,
        draftModel: undefined,
      });
  });

  it('with MTP layers of its own, or in a file beside it', async () => {
    const mtp = { ...plain, draftModel, speculate: 'mtp' } as const;
    expect(resolveSpeculation({ ...mtp, model: await modelWith({}) }).draftModel).toBeUndefined();
    expect(resolveSpeculation({ ...mtp, model: await modelWith({ layers: 0 }) }).draftModel).toBe(draftModel);
  });

  it('not if it computes vectors', () => {
    const extraArgs = ['--embeddings'];
    expect(resolveSpeculation({ ...plain, extraArgs, speculate: 'ngram' }).method).toBe('off');
  });
});

it('knows nothing of a file that is not there, or is damaged', async () => {
  expect(hasMtpLayers({ kind: 'file', path: join(folder, 'none.gguf') })).toBeUndefined();
  await writeFile(join(folder, 'cut.gguf'), 'GGUF');
  expect(hasMtpLayers({ kind: 'file', path: join(folder, 'cut.gguf') })).toBeUndefined();
});

it.each([
  [['--temp', '0'], undefined],
  [['--spec_type', 'ngram-mod'], '--spec-type'],
  [['--spec-type=ngram-mod'], '--spec-type'],
  [['-md', 'd.gguf'], '-md'],
])('finds the argument in %j that says how to speculate', (args, expected) => {
  expect(findSpeculationArgument(args)).toBe(expected);
});
