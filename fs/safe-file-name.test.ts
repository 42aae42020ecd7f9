import { expect, it } from 'vitest';
import { safeFileName } from './safe-file-name.ts';

it('keeps a name that is one already', () => {
  expect(safeFileName('bge-m3')).toBe('bge-m3');
});

it('replaces what a file name cannot hold, and keeps different names apart', () => {
  const names = ['Qwen/Qwen3-8B', 'Qwen:Qwen3-8B', '../../etc', 'möwe', 'm'.repeat(128), 'm'.repeat(127)];
  const files = names.map(safeFileName);
  expect(new Set(files).size).toBe(names.length);
  for (const file of files) expect(file).toMatch(/^[A-Za-z0-9_-]{1,31}$/);
});
