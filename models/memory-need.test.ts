import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ggufBytes, type Metadata } from '../cli/demo-model/gguf-writer.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { estimateNeed, type NeedOptions } from './memory-need.ts';

const KiB = 1024;

/** Two layers, 4 KV heads of 64 numbers, 8 heads; each matrix has 1024 numbers of 2 bytes. */
function modelBytes(more: Readonly<Record<string, Metadata>> = {}, sharesMatrix = false): Buffer {
  const names = ['token_embd.weight', 'blk.0.a', 'blk.1.a', ...(sharesMatrix ? [] : ['output.weight'])];
  return ggufBytes(
    {
      'general.architecture': { text: 'llama' },
      'llama.context_length': { u32: 8192 },
      'llama.embedding_length': { u32: 512 },
      'llama.block_count': { u32: 2 },
      'llama.feed_forward_length': { u32: 2048 },
      'llama.attention.head_count': { u32: 8 },
      'llama.attention.head_count_kv': { u32: 4 },
      'tokenizer.ggml.tokens': { texts: Array.from({ length: 5000 }, (_, n) => `token ${n}`) },
      ...more,
    },
    names.map((name) => ({ name, shape: [32, 32], values: new Float16Array(1024) })),
  );
}

const options = {
  ctx: 1024,
  parallel: 2,
  ngl: 'auto',
  flashAttn: 'auto',
  cacheTypeK: undefined,
  cacheTypeV: undefined,
  mmproj: undefined,
  draftModel: undefined,
  extraArgs: [],
} as const;

interface Case extends Partial<Omit<NeedOptions, 'model'>> {
  readonly bytes?: Buffer;
  readonly memory?: 'gpu' | 'machine';
}

async function needOf({ bytes = modelBytes(), memory = 'machine', ...more }: Case = {}) {
  await using folder = await temporaryFolder();
  const path = folder.file('m.gguf');
  await writeFile(path, bytes);
  return estimateNeed({ ...options, ...more, model: { kind: 'file', path } }, memory);
}

/** Of one token in one layer: 4 heads × 64 numbers × 2 bytes for keys, as many for values. */
const perToken = KiB;

describe('weights', () => {
  it.each<[string, Case, number]>([
    ['all of them in the memory of the machine', {}, 4],
    ['all but the input on a GPU', { memory: 'gpu' }, 3],
    ['the last layers only, if not all are put on the GPU', { memory: 'gpu', ngl: 1 }, 1],
    ['none on the GPU', { memory: 'gpu', ngl: 0 }, 0],
    ['a shared matrix once in the machine', { bytes: modelBytes({}, true) }, 3],
    ['a shared matrix on the GPU as well', { bytes: modelBytes({}, true), memory: 'gpu' }, 3],
  ])('%s', async (_, given, matrices) => {
    expect((await needOf(given))?.weights).toBe(matrices * 2 * KiB);
  });

  it('of all parts of a split model, of a projector and a draft model', async () => {
    await using folder = await temporaryFolder();
    const [first, second, other] = ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf', 'o.gguf'].map(
      folder.file,
    );
    await writeFile(first as string, modelBytes());
    await writeFile(
      second as string,
      ggufBytes({}, [{ name: 'blk.1.b', shape: [8], values: new Float16Array(8) }]),
    );
    await writeFile(other as string, modelBytes());
    const model = { kind: 'file', path: first as string } as const;
    const alone = estimateNeed({ ...options, model }, 'machine');
    // The writer pads the last tensor to 32 bytes, which do not count.
    expect(alone?.weights).toBe(4 * 2 * KiB + 16);
    const withDraft = estimateNeed({ ...options, model, draftModel: other }, 'machine');
    expect(withDraft?.weights).toBe(8 * 2 * KiB + 16);
    expect(withDraft?.kvCache).toBe(2 * (alone?.kvCache ?? 0));
    const withEyes = estimateNeed({ ...options, model, mmproj: other }, 'machine');
    expect(withEyes?.weights).toBe((alone?.weights ?? 0) + modelBytes().length);
  });
});

describe('the KV cache', () => {
  it.each<[string, Case, number]>([
    ['of CTX tokens in each slot', {}, 2 * 1024 * perToken * 2],
    ['of what the model was trained for, shared by the slots', { ctx: 'auto' }, 8192 * perToken * 2],
    ['of four slots by default', { parallel: 'auto' }, 4 * 1024 * perToken * 2],
    ['rounded up to 256 tokens', { ctx: 300 }, 2 * 512 * perToken * 2],
    ['of the layers on the GPU', { memory: 'gpu', ngl: 1 }, 2 * 1024 * perToken],
    ['in other types', { cacheTypeK: 'q8_0', cacheTypeV: 'q4_0' }, (2 * 1024 * 2 * 256 * (34 + 18)) / 32],
    [
      'without layers that have none',
      { bytes: modelBytes({ 'llama.attention.head_count_kv': { i32s: [0, 4] } }) },
      2 * 1024 * perToken,
    ],
    [
      'of the hybrid layers with full attention',
      { bytes: modelBytes({ 'llama.full_attention_interval': { u32: 2 } }) },
      2 * 1024 * perToken,
    ],
    [
      'of a window and a batch in every other layer',
      {
        ctx: 4096,
        bytes: modelBytes({
          'llama.attention.sliding_window': { u32: 256 },
          'llama.attention.sliding_window_pattern': { u32: 2 },
        }),
      },
      2 * (4096 + 256 + 512) * perToken,
    ],
    [
      'with heads of their own width',
      {
        bytes: modelBytes({
          'llama.attention.key_length': { u32: 128 },
          'llama.attention.value_length': { u32: 32 },
        }),
      },
      2 * 1024 * 2 * 4 * (128 + 32) * 2,
    ],
    ['none for an encoder', { bytes: modelBytes({ 'llama.attention.causal': { bool: false } }) }, 0],
  ])('%s', async (_, given, bytes) => {
    expect((await needOf(given))?.kvCache).toBe(bytes);
  });
});

it('a model that is not there yet has no estimate', () => {
  expect(estimateNeed({ ...options, model: { kind: 'hugging-face', repo: 'u/r' } }, 'gpu')).toBeUndefined();
  const model = { kind: 'url', url: 'https://h/a.gguf', path: '/not/there.gguf' } as const;
  expect(estimateNeed({ ...options, model }, 'gpu')).toBeUndefined();
});

it.each([
  ['GGU', 'is cut off in its header'],
  ['GGML', 'is not a GGUF file'],
  [modelBytes().subarray(0, 200), 'is cut off in its header'],
  [
    Buffer.concat([Buffer.from('GGUF'), Buffer.from([9, 0, 0, 0])]),
    'has GGUF version 9, which is not supported',
  ],
  [
    Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(16, 0xff)]),
    'is damaged: its header has an impossible count',
  ],
])('an error names a file that cannot be read: %s', async (bytes, reason) => {
  await expect(needOf({ bytes: Buffer.from(bytes as Buffer) })).rejects.toThrow(`m.gguf: ${reason}`);
});
