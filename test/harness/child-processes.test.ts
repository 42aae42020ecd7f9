import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../../scripts/project-folders.ts';
import { killProcess } from './child-processes.ts';

describe('killProcess', () => {
  it.each([undefined, 0, 1, -1])('rejects the pid %s', (pid) => {
    expect(() => killProcess(pid, 'SIGCONT')).toThrow('no process to send SIGCONT to');
  });

  it('is used by every test: a pid of 0 would end the whole test run', async () => {
    const careless: string[] = [];
    for await (const file of glob('test/**/*.ts', { cwd: projectFolder })) {
      if (file.endsWith('child-processes.ts') || file.endsWith('child-processes.test.ts')) continue;
      const text = readFileSync(join(projectFolder, file), 'utf8');
      if (/(?<!\.)\bprocess\.kill\((?!process\.pid)/.test(text)) careless.push(file);
    }
    expect(careless).toEqual([]);
  });
});
