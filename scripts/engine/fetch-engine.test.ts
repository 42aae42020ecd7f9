import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { EngineUnavailable } from './engine-unavailable.ts';
import { readEngineVersion } from './engine-version.ts';
import { fetchEngine } from './fetch-engine.ts';
import { fetchedEngine, findFetchedEngine } from './fetched-engine.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'corral-fetch-'));
  await mkdir(join(folder, 'etc'));
});
afterEach(() => rm(folder, { recursive: true }));

const fetch = (more: object = {}) =>
  fetchEngine({ cache: join(folder, 'cache'), etc: join(folder, 'etc'), ...more });

describe('fetchEngine', () => {
  it('lists the other ways if it cannot fetch, and leaves no partial files', async () => {
    await writeFile(join(folder, 'etc/sources.list'), `deb file:${folder}/nowhere sid main\n`);
    const failure = await fetch().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EngineUnavailable);
    for (const way of [
      'llama.cpp-tools',
      'ghcr.io/ggml-org/llama.cpp:server',
      'brew install',
      'LLAMA_SERVER_BIN',
    ])
      expect(String(failure)).toContain(way);
    expect(await readdir(join(folder, 'cache/engine')).catch(() => [])).toEqual([]);
  });

  it('reports what is missing on a machine without a Debian archive', async () => {
    await expect(fetch()).rejects.toThrow(EngineUnavailable);
  });

  it('names an unsupported processor', async () => {
    await expect(fetch({ arch: 'mips' })).rejects.toThrow(/no llama-server for \w+ on mips/);
  });

  it('removes the files of a killed fetch, not those of a running one', async () => {
    const dead = join(folder, 'cache/engine/fetching-999999999-a');
    const alive = join(folder, `cache/engine/fetching-${process.pid}-b`);
    for (const it of [dead, alive]) await mkdir(it, { recursive: true });
    await fetch().catch(() => {});
    const left = await readdir(join(folder, 'cache/engine')).catch(() => ['nothing']);
    expect(left).not.toContain('fetching-999999999-a');
    expect(left).toContain(`fetching-${process.pid}-b`);
  });
});

describe('findFetchedEngine', () => {
  it('rejects a folder without an engine', async () => {
    await mkdir(join(folder, 'cache/engine/debian-amd64/usr/bin'), { recursive: true });
    expect(await findFetchedEngine(join(folder, 'cache'), 'x64')).toBeUndefined();
  });
});

describe('fetchedEngine', () => {
  it.each([
    ['amd64', 'usr/lib64/ld-linux-x86-64.so.2', 'x86_64-linux-gnu'],
    ['arm64', 'usr/lib/ld-linux-aarch64.so.1', 'aarch64-linux-gnu'],
  ])('is started by its own loader on %s', (architecture, loader, triplet) => {
    expect(fetchedEngine('/p', { architecture, loader, triplet })).toEqual({
      command: `/p/${loader}`,
      args: [
        '--library-path',
        `/p/usr/lib/${triplet}:/p/usr/lib/${triplet}/llama`,
        '/p/usr/bin/llama-server',
      ],
      origin: 'fetched',
    });
  });
});

describe('readEngineVersion', () => {
  it('returns the version of the engine that the tests use', async () => {
    expect(await readEngineVersion(inject('engine'))).toMatch(/\d/);
  });

  it('rejects a program that is not llama-server', async () => {
    await symlink('/bin/true', join(folder, 'llama-server'));
    const other = { command: join(folder, 'llama-server'), args: [], origin: 'PATH' } as const;
    await expect(readEngineVersion(other)).rejects.toThrow(/did not print a version/);
  });
});
