import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { readGgufHead } from '../../test/harness/gguf-reader.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { runCommand } from '../run-command.ts';
import { demoModelCommand } from './demo-model-command.ts';

describe('corral demo-model', () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  afterEach(() => {
    vi.clearAllMocks();
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ['', 'llama-corral demo'],
    ['--kind chat --stories guide', 'llama-corral demo'],
    ['--stories tales', 'llama-corral demo, tales'],
    ['--kind embeddings', 'llama-corral demo, embeddings'],
    ['--kind rerank', 'llama-corral demo, rerank'],
  ])('%s writes the model "%s"', async (options, name) => {
    await using folder = await temporaryFolder();
    const file = folder.file('demo.gguf');
    const args = options.split(' ').filter((arg) => arg !== '');
    expect(await runCommand(demoModelCommand(), [...args, file])).toBe(0);
    const { metadata } = readGgufHead(await readFile(file));
    expect(metadata.get('general.name')).toBe(name);
    expect(stderr.mock.calls).toEqual([[`wrote ${file}\n`]]);
  });

  it.each([
    ['--kind vision', 'Allowed choices are chat, embeddings, rerank'],
    ['--stories sagas', 'Allowed choices are guide, tales'],
    ['--kind rerank --stories tales', '--stories is for --kind chat, not for rerank'],
  ])('%s is a usage error', async (options, message) => {
    expect(await runCommand(demoModelCommand(), [...options.split(' '), 'demo.gguf'])).toBe(2);
    expect(stderr.mock.calls.join()).toContain(message);
  });
});
