import { type ProductionPackage, productionPackages } from './production-packages.ts';

/** Permissive licences, which require no more than attribution. */
export const allowedLicences = [
  ...[
    '0BSD',
    'Apache-2.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'BlueOak-1.0.0',
    'CC0-1.0',
    'ISC',
    'MIT',
    'Unlicense',
  ],
] as const;

/** The text of `docs/licences.md`. */
export function licencesPage(): string {
  const packages = productionPackages();
  const licences = Map.groupBy(packages, ({ licence = 'none stated' }) => licence);
  const counts = [...licences].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `# Licences

<!-- Written by \`npm run docs\`. -->

llama-corral is licensed under the [MIT licence](../LICENSE). These are the ${packages.length} packages that run in production, without those for tests and
development. A test allows only licences that require no more than attribution: ${allowedLicences.join(', ')}.

llama-server is not part of this repository: llama.cpp is licensed under MIT, too, and its image contains its own notices.
Each package has the text of its licence in \`node_modules\`, in the images in \`/opt/corral/node_modules\`.

| licence | packages |
|---|---|
${counts.map(([licence, those]) => `| ${licence} | ${those.length} |\n`).join('')}
| package | version | licence |
|---|---|---|
${packages.map(row).join('')}
¹ Only if the Node of the machine is older than 24.
`;
}

const row = ({ name, version, licence, isOptional }: ProductionPackage) =>
  `| \`${name}\`${isOptional ? '¹' : ''} | ${version} | ${licence ?? 'none stated'} |\n`;
