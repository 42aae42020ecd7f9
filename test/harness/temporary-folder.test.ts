import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const FILES = 200;

it('a folder is removed even if a process that is ending still writes to it', async () => {
  const folder = await temporaryFolder();
  const write = async () => {
    for (let n = 0; n < FILES; n++) await writeFile(folder.file(`${n}`), '');
  };
  // Its folder may go at any moment.
  await Promise.all([write().catch(() => {}), folder[Symbol.asyncDispose]()]);
  expect(existsSync(folder.path)).toBe(false);
});
