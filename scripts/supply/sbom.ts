import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import packageFile from '../../package.json' with { type: 'json' };
import { projectFolder } from '../project-folders.ts';
import { directNeeds, type ProductionPackage, productionPackages } from './production-packages.ts';

/**
 * The packages of production as a CycloneDX SBOM, from the lock file. `npm sbom` omits packages that tests need as
 * well.
 */
export function sbomText(): string {
  const packages = productionPackages().map((one) => ({ one, component: componentOf(one) }));
  const byId = new Map(packages.map(({ one, component }) => [one.id, component]));
  const bom = new Models.Bom();
  const root = application();
  bom.metadata.component = root;
  connect(root, directNeeds(), byId);
  for (const { one, component } of packages) {
    connect(component, one.needs, byId);
    bom.components.add(component);
  }
  const spec = Spec.Spec1dot6;
  return `${new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(spec)).serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function application(): Models.Component {
  const { name, version, license, description } = packageFile;
  const component = new Models.Component(Enums.ComponentType.Application, name, {
    bomRef: `${name}@${version}`,
    ...{ version, description, purl: `pkg:npm/${name}@${version}` },
  });
  component.licenses.add(new Models.SpdxLicense(license));
  return component;
}

function componentOf({ id, name, version, licence, isOptional, integrity }: ProductionPackage) {
  const [scope, bare] = name.includes('/') ? name.split('/') : [undefined, name];
  const component = new Models.Component(Enums.ComponentType.Library, bare ?? name, {
    ...{ bomRef: id, version, purl: `pkg:npm/${name.replace('@', '%40')}@${version}` },
    ...(scope === undefined ? {} : { group: scope }),
    scope: isOptional ? Enums.ComponentScope.Optional : Enums.ComponentScope.Required,
  });
  if (licence !== undefined) component.licenses.add(new Models.SpdxLicense(licence));
  const digest = /^sha512-(\S+)/.exec(integrity ?? '')?.[1];
  if (digest !== undefined)
    component.hashes.set(Enums.HashAlgorithm['SHA-512'], Buffer.from(digest, 'base64').toString('hex'));
  return component;
}

function connect(
  component: Models.Component,
  needs: readonly string[],
  byId: ReadonlyMap<string, Models.Component>,
): void {
  for (const id of needs) {
    const needed = byId.get(id);
    if (needed) component.dependencies.add(needed.bomRef);
  }
}

/** `npm run sbom` writes sbom.cdx.json. */
if (import.meta.main) {
  const file = join(projectFolder, 'sbom.cdx.json');
  writeFileSync(file, sbomText());
  console.error(`written: ${file}`);
}
