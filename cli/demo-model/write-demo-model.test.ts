import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readGgufHead } from '../../test/harness/gguf-reader.ts';
import { stories } from './stories.ts';
import { tales } from './tales.ts';
import { cutStories } from './vocabulary.ts';
import { type DemoModelName, demoModelBytes, writeDemoModel } from './write-demo-model.ts';

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe.each<DemoModelName>(['guide', 'tales', 'embeddings', 'rerank'])('%s', (name) => {
  const bytes = demoModelBytes(name);

  it('has the same bytes each time, and is small', () => {
    expect(digest(demoModelBytes(name))).toBe(digest(bytes));
    expect(bytes.length).toBeLessThan(6_000_000);
  });

  it('is written atomically and leaves no temporary file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'corral-demo-'));
    await writeDemoModel(join(folder, 'models/demo.gguf'), name);
    expect(digest(await readFile(join(folder, 'models/demo.gguf')))).toBe(digest(bytes));
    expect(await readdir(join(folder, 'models'))).toEqual(['demo.gguf']);
    await rm(folder, { recursive: true });
  });
});

describe('the demo model', () => {
  const bytes = demoModelBytes();

  it('is the guide if no other is named', () => {
    expect(digest(bytes)).toBe(digest(demoModelBytes('guide')));
  });

  it('has the metadata that llama.cpp needs', () => {
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

  it('is not a GGUF file if its end is missing or its start differs', () => {
    expect(() => readGgufHead(bytes.subarray(0, 5000))).toThrow(RangeError);
    expect(() => readGgufHead(Buffer.from('a text'))).toThrow(TypeError);
  });
});

describe.each([
  ['guide', stories],
  ['tales', tales],
])('cutStories of %s', (_, stories) => {
  const cut = cutStories(stories);
  const steps = cut.flatMap((story) => story.steps);

  it('keeps the complete text of the stories', () => {
    for (const [index, { thought, text }] of stories.entries()) {
      const whole = cut[index]?.steps.map(({ inputToken }) => inputToken).join('');
      expect(whole).toBe(thought ? `<think>${thought}</think>${text}` : text);
    }
  });

  it('uses every step and every token in one place only', () => {
    expect(new Set(steps.map(({ inputToken }) => inputToken)).size).toBe(steps.length);
    const outputs = steps.flatMap((step) => step.outputTokens);
    expect(new Set(outputs).size).toBe(outputs.length);
  });

  it('makes every story long enough that an earlier keyword loses its effect', () => {
    for (const story of cut) expect(story.steps.length, story.topic).toBeGreaterThan(40);
  });

  it('has no step that consists of a keyword alone', () => {
    const words = stories.flatMap(({ keywords }) => keywords);
    const alone = steps.filter(({ inputToken }) => words.includes(inputToken.trim().toLowerCase()));
    expect(alone).toEqual([]);
  });
});
