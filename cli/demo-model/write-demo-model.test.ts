import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readGgufHead } from '../../test/harness/gguf-reader.ts';
import { stories } from './stories.ts';
import { cutStories } from './vocabulary.ts';
import { demoModelBytes, writeDemoModel } from './write-demo-model.ts';

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('the demo model', () => {
  const bytes = demoModelBytes();

  it('is the same bytes each time, and few of them', () => {
    expect(digest(demoModelBytes())).toBe(digest(bytes));
    expect(bytes.length).toBeLessThan(6_000_000);
  });

  it('says of itself what llama.cpp has to know', () => {
    const { version, metadata, tensors } = readGgufHead(bytes);
    expect(version).toBe(3);
    expect(Object.fromEntries(metadata)).toMatchObject({
      'general.architecture': 'llama',
      'llama.block_count': 1,
      'llama.context_length': 32_768,
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.add_space_prefix': false,
      'tokenizer.chat_template': expect.stringContaining('<|assistant|>'),
    });
    const tokens = metadata.get('tokenizer.ggml.tokens');
    expect(tokens).toContain('<|end|>');
    expect(tokens).toHaveLength(Number(metadata.get('llama.vocab_size')));
    expect(tensors).toContainEqual({
      name: 'output.weight',
      shape: [metadata.get('llama.embedding_length'), metadata.get('llama.vocab_size')],
    });
  });

  it('is written whole, with nothing left beside it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'corral-demo-'));
    await writeDemoModel(join(folder, 'models/demo.gguf'));
    expect(digest(await readFile(join(folder, 'models/demo.gguf')))).toBe(digest(bytes));
    expect(await readdir(join(folder, 'models'))).toEqual(['demo.gguf']);
    await rm(folder, { recursive: true });
  });

  it('is no GGUF file when its end is cut off or its beginning is another', () => {
    expect(() => readGgufHead(bytes.subarray(0, 5000))).toThrow(RangeError);
    expect(() => readGgufHead(Buffer.from('a text'))).toThrow(TypeError);
  });
});

describe('cutStories', () => {
  const cut = cutStories(stories);
  const steps = cut.flatMap((story) => story.steps);

  it('loses nothing of the stories', () => {
    for (const [index, { thought, text }] of stories.entries()) {
      const whole = cut[index]?.steps.map(({ heard }) => heard).join('');
      expect(whole).toBe(thought ? `<think>${thought}</think>${text}` : text);
    }
  });

  it('gives every step and every token of its own to one place only', () => {
    expect(new Set(steps.map(({ heard }) => heard)).size).toBe(steps.length);
    const said = steps.flatMap((step) => step.said);
    expect(new Set(said).size).toBe(said.length);
  });

  it('makes every story long enough for what was asked before it to fade', () => {
    for (const story of cut) expect(story.steps.length, story.topic).toBeGreaterThan(40);
  });

  it('leaves no word that asks for a story alone in a step', () => {
    const words = stories.flatMap(({ askedBy }) => askedBy);
    const alone = steps.filter(({ heard }) => words.includes(heard.trim().toLowerCase()));
    expect(alone).toEqual([]);
  });
});
