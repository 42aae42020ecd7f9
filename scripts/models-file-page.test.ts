import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { modelsFilePage } from './models-file-page.ts';
import { projectFolder } from './project-folders.ts';

it('docs/models-file.md is up to date (else run `npm run docs`)', () => {
  expect(readFileSync(join(projectFolder, 'docs/models-file.md'), 'utf8')).toBe(modelsFilePage());
});
