import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createRuntimeDir,
  identifyProcess,
  prepareSocketPath,
  type RuntimeDir,
  removeStaleRuntimeDirs,
} from './runtime-dir.ts';

let base: string;
const sleepers: ChildProcess[] = [];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'runtime-'));
});
afterEach(() => {
  for (const sleeper of sleepers.splice(0)) sleeper.kill('SIGKILL');
  rmSync(base, { recursive: true });
});

/** A process that leads its own process group, like our children. */
function sleeper() {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  sleepers.push(child);
  return { child, pid: child.pid ?? 0 };
}

/** Changes the folder to one of a supervisor that has ended. */
function orphan(dir: RuntimeDir, children?: unknown): void {
  const file = join(dir.path, 'owner.json');
  const note = JSON.parse(readFileSync(file, 'utf8'));
  const owner = { ...note.owner, startedAt: 'long ago' };
  writeFileSync(file, JSON.stringify({ ...note, owner, ...(children !== undefined && { children }) }));
}

describe('a runtime folder', () => {
  it('is private, and short enough for a socket', () => {
    const dir = createRuntimeDir(base);
    expect(statSync(dir.path).mode & 0o777).toBe(0o700);
    expect(dir.socketPath.length).toBeLessThan(100);
    dir.remove();
    expect(existsSync(dir.path)).toBe(false);
  });

  it('is elsewhere if the temporary folder has a long name', () => {
    const long = join(base, 'x'.repeat(90));
    mkdirSync(long);
    const dir = createRuntimeDir(long);
    expect(dir.socketPath.length).toBeLessThan(100);
    dir.remove();
  });
});

describe('the path of a socket', () => {
  it('is cleared, and its folder is created again if something removed it', () => {
    const { path, socketPath, remove, recordChild } = createRuntimeDir(base);
    writeFileSync(socketPath, 'left by a killed one');
    prepareSocketPath(socketPath);
    expect(existsSync(socketPath)).toBe(false);
    rmSync(path, { recursive: true });
    recordChild(process.pid);
    prepareSocketPath(socketPath);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    remove();
  });

  it('is not used if the folder belongs to another user', () => {
    const { path } = createRuntimeDir(base);
    const nobody = 65_534;
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(path, nobody, nobody);
    expect(() => prepareSocketPath(join(isRoot ? path : '/', 'llama.sock'))).toThrow(
      'belongs to another user',
    );
  });
});

describe('the removal of stale runtime folders', () => {
  it('keeps the folder and the children of a running supervisor', () => {
    const dir = createRuntimeDir(base);
    const { pid } = sleeper();
    dir.recordChild(pid);
    expect(removeStaleRuntimeDirs(base)).toEqual([]);
    expect(existsSync(dir.path)).toBe(true);
    expect(identifyProcess(pid).startedAt).toBeDefined();
  });

  it('kills the children that a killed supervisor left, and removes its folder', async () => {
    const dir = createRuntimeDir(base);
    const { child, pid } = sleeper();
    const ended = once(child, 'exit');
    dir.recordChild(pid);
    orphan(dir);
    expect(removeStaleRuntimeDirs(base)).toEqual([pid]);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(dir.path)).toBe(false);
  });

  it('never kills another process with the same id', () => {
    const dir = createRuntimeDir(base);
    const { pid } = sleeper();
    orphan(dir, [{ pid, startedAt: 'another time' }]);
    expect(removeStaleRuntimeDirs(base)).toEqual([]);
    expect(existsSync(dir.path)).toBe(false);
    expect(identifyProcess(pid).startedAt).toBeDefined();
  });

  it('keeps folders that are not ours, whatever their name', () => {
    mkdirSync(join(base, 'corral-notes'));
    writeFileSync(join(base, 'corral-notes', 'owner.json'), '{"mine":true}');
    mkdirSync(join(base, 'corral-empty'));
    expect(removeStaleRuntimeDirs(base)).toEqual([]);
    expect(existsSync(join(base, 'corral-notes')) && existsSync(join(base, 'corral-empty'))).toBe(true);
  });
});
