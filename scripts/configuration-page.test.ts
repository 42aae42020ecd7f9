import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configurationPage } from './configuration-page.ts';
import { projectFolder } from './project-folders.ts';

it('docs/configuration.md is up to date (else run `npm run docs`)', () => {
  expect(readFileSync(join(projectFolder, 'docs/configuration.md'), 'utf8')).toBe(configurationPage());
});
