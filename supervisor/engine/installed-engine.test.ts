import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findInstalledEngine } from './installed-engine.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'corral-engine-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(path: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, '#!/bin/sh\n');
  await chmod(file, 0o755);
  return file;
}

describe('findInstalledEngine', () => {
  it('prefers the configured one', async () => {
    const configured = await program('mine/my-server');
    const onPath = await program('bin/llama-server');
    expect(await findInstalledEngine({ configured, searchPath: join(onPath, '..') })).toEqual({
      command: configured,
      args: [],
      origin: 'LLAMA_SERVER_BIN',
    });
  });

  it('finds a configured bare name on the path', async () => {
    const command = await program('bin/llama-server-cuda');
    const engine = await findInstalledEngine({
      configured: 'llama-server-cuda',
      searchPath: join(folder, 'bin'),
    });
    expect(engine).toMatchObject({ command, origin: 'LLAMA_SERVER_BIN' });
  });

  it('uses the first executable one on the path', async () => {
    await mkdir(join(folder, 'a', 'llama-server'), { recursive: true });
    await chmod(await program('b/llama-server'), 0o644);
    const command = await program('c/llama-server');
    const searchPath = ['a', 'b', 'c'].map((name) => join(folder, name)).join(delimiter);
    expect(await findInstalledEngine({ searchPath })).toEqual({ command, args: [], origin: 'PATH' });
  });

  it('uses the one of the container image last', async () => {
    const imagePath = await program('app/llama-server');
    expect(await findInstalledEngine({ searchPath: folder, imagePath })).toEqual({
      command: imagePath,
      args: [],
      origin: '/app/llama-server',
    });
  });

  it('returns undefined if there is none', async () => {
    expect(await findInstalledEngine({ searchPath: folder, imagePath: join(folder, 'no') })).toBeUndefined();
  });

  it.each([
    ['does not exist', async () => join(folder, 'gone')],
    ['is not a regular file', async () => folder],
    [
      'is not executable',
      async () => {
        const file = await program('plain');
        await chmod(file, 0o644);
        return file;
      },
    ],
    ['is not on the PATH', async () => 'llama-server-of-nowhere'],
  ])('reports that a configured one %s, and uses no other', async (complaint, name) => {
    const searchPath = join(await program('bin/llama-server'), '..');
    const configured = await name();
    await expect(findInstalledEngine({ configured, searchPath })).rejects.toThrow(
      `LLAMA_SERVER_BIN: ${configured} ${complaint}`,
    );
  });
});
