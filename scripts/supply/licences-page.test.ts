import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { projectFolder } from '../project-folders.ts';
import { allowedLicences, licencesPage } from './licences-page.ts';
import { productionPackages } from './production-packages.ts';

it('docs/licences.md is up to date (else run `npm run docs`)', () => {
  expect(readFileSync(join(projectFolder, 'docs/licences.md'), 'utf8')).toBe(licencesPage());
});

describe('the packages of production', () => {
  const names = productionPackages().map(({ name }) => name);

  it('have a permissive licence', () => {
    const allowed: readonly (string | undefined)[] = allowedLicences;
    expect(productionPackages().filter(({ licence }) => !allowed.includes(licence))).toEqual([]);
  });

  it('are the dependencies of package.json, direct and indirect, without those for development', () => {
    const { '@scarf/scarf': _, ...dependencies } = packageFile.dependencies;
    expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)));
    for (const name of Object.keys(packageFile.devDependencies)) expect(names).not.toContain(name);
  });

  it('contain no telemetry: an empty package of this repository replaces @scarf/scarf', () => {
    const empty = 'scripts/supply/no-telemetry';
    expect(packageFile.dependencies['@scarf/scarf']).toBe(`file:${empty}`);
    expect(readdirSync(join(projectFolder, empty)).toSorted()).toEqual(['README.md', 'package.json']);
    expect(names).not.toContain('@scarf/scarf');
  });
});
