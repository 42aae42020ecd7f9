import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { projectFolder } from '../project-folders.ts';
import { productionPackages } from './production-packages.ts';
import { sbomText } from './sbom.ts';

const sbom = JSON.parse(sbomText());

describe('the SBOM', () => {
  it('is valid CycloneDX', () => {
    const isSbom = validator('1.6');
    expect([isSbom(sbom), isSbom.errors]).toEqual([true, null]);
    expect(isSbom({ ...sbom, components: [{ name: 'no type' }] })).toBe(false);
  });

  it('contains the packages of the lock file, with hash and licence', () => {
    const refs = sbom.components.map((component: { 'bom-ref': string }) => component['bom-ref']);
    expect(refs.toSorted()).toEqual(productionPackages().map(({ id }) => id));
    for (const component of sbom.components) {
      expect(component.hashes).toEqual([
        { alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) },
      ]);
      expect(component.licenses).toEqual([{ license: { id: expect.stringMatching(/^[\w.-]+$/) } }]);
    }
  });

  it('contains the dependencies of every package, starting with the application', () => {
    const needs = new Map<string, string[]>(
      sbom.dependencies.map((one: { ref: string; dependsOn?: string[] }) => [one.ref, one.dependsOn ?? []]),
    );
    const root = `llama-corral@${packageFile.version}`;
    expect(sbom.metadata.component).toMatchObject({ type: 'application', 'bom-ref': root });
    expect(needs.get(root)).toContain(`hono@${packageFile.dependencies.hono}`);
    const reached = new Set([root]);
    for (const ref of reached) for (const needed of needs.get(ref) ?? []) reached.add(needed);
    expect([...reached].toSorted()).toEqual([root, ...productionPackages().map(({ id }) => id)].toSorted());
  });
});

function validator(version: string) {
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  ajv.addFormat('iri-reference', true).addFormat('idn-email', true);
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  return ajv.compile(schema(`bom-${version}`));
}

/** Without its `$schema`, which names a draft that Ajv supports by default. */
function schema(name: string): object {
  const file = `node_modules/@cyclonedx/cyclonedx-library/res/schema/${name}.SNAPSHOT.schema.json`;
  const { $schema: _, ...rest } = JSON.parse(readFileSync(join(projectFolder, file), 'utf8'));
  return rest;
}
