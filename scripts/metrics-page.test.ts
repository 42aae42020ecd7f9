import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { metricsPage } from './metrics-page.ts';
import { projectFolder } from './project-folders.ts';

it('docs/metrics.md is up to date (else run `npm run docs`)', () => {
  expect(readFileSync(join(projectFolder, 'docs/metrics.md'), 'utf8')).toBe(metricsPage());
});
