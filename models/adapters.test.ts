import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ggufBytes } from '../cli/demo-model/gguf-writer.ts';
import { adapterArgumentProblem, adapterFileProblems, parseAdapters } from './adapters.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'corral-adapters-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function writeGguf(name: string, metadata: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder, name);
  const texts = Object.entries(metadata).map(([key, text]) => [key, { text }] as const);
  await writeFile(path, ggufBytes(Object.fromEntries(texts), []));
  return path;
}

const lora = { 'general.type': 'adapter', 'adapter.type': 'lora', 'general.architecture': 'llama' };

describe('the files of adapters', () => {
  it('are LoRA adapters for the architecture of the model', async () => {
    const model = {
      kind: 'file',
      path: await writeGguf('m.gguf', { 'general.architecture': 'llama' }),
    } as const;
    const problemsOf = (path: string) => adapterFileProblems({ model, adapters: [{ name: 'a', path }] });
    expect(problemsOf(await writeGguf('good.gguf', lora))).toEqual([]);
    expect(problemsOf(join(folder, 'none.gguf'))).toEqual([
      expect.stringMatching(/^adapter a: .*does not exist$/),
    ]);
    expect(problemsOf(model.path)).toEqual([expect.stringContaining('no LoRA adapter')]);
    const other = await writeGguf('other.gguf', { ...lora, 'general.architecture': 'qwen3' });
    expect(problemsOf(other)).toEqual([expect.stringContaining('qwen3, but the model is llama')]);
    expect(problemsOf(await writeGguf('a,b.gguf', lora))).toEqual([
      expect.stringContaining('rename the file'),
    ]);
    await writeFile(join(folder, 'cut.gguf'), 'GGUF');
    expect(problemsOf(join(folder, 'cut.gguf'))).toEqual([expect.stringContaining('is cut off')]);
  });

  it('are not compared with a model that is not there yet', async () => {
    const model = { kind: 'hugging-face', repo: 'u/r' } as const;
    const path = await writeGguf('any.gguf', lora);
    expect(adapterFileProblems({ model, adapters: [{ name: 'a', path }] })).toEqual([]);
  });
});

it.each([
  [
    ['a=/x.gguf', 'b=y=z.gguf'],
    [
      { name: 'a', path: '/x.gguf' },
      { name: 'b', path: 'y=z.gguf' },
    ],
  ],
  [['a'], [expect.stringContaining('expected name=path')]],
  [['=x'], [expect.stringContaining('expected name=path')]],
  [['a:b=x'], [expect.stringContaining('expected name=path')]],
  [
    ['a=x', 'a=y'],
    [{ name: 'a', path: 'x' }, expect.stringContaining('named twice')],
  ],
])('the list %j is read', (list, expected) => {
  expect(parseAdapters(list)).toEqual(expected);
});

it.each([
  [['--lora', 'x.gguf'], '--lora cannot be used'],
  [['-cram', '512'], 'would mix their caches'],
  [['--embeddings'], 'for chat models only'],
])('%j contradicts adapters', (extraArgs, message) => {
  expect(adapterArgumentProblem({ adapters: [{ name: 'a', path: '/a' }], extraArgs })).toContain(message);
  expect(adapterArgumentProblem({ adapters: [], extraArgs })).toBeUndefined();
});
