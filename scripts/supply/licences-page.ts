import { type ProductionPackage, productionPackages } from './production-packages.ts';

/** Licences that ask for no more than to be named, and let anybody use what holds them. */
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

/** The page that lists what runs in production and whose words that is under. */
export function licencesPage(): string {
  const packages = productionPackages();
  const licences = Map.groupBy(packages, ({ licence = 'none stated' }) => licence);
  const counts = [...licences].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `# Licences

<!-- Written by \`npm run docs\`. -->

llama-corral stands under the [MIT licence](../LICENSE). These are the packages that run in production, ${packages.length} in all; what only tests and
development need is not among them. A test lets in only licences that ask for no more than to be named: ${allowedLicences.join(', ')}.

llama-server, which does the work, is not part of this repository: llama.cpp stands under MIT, too, and its image brings its own notices.
Each package carries its licence's text in \`node_modules\`, in the images in \`/opt/corral/node_modules\`.

| licence | packages |
|---|---|
${counts.map(([licence, those]) => `| ${licence} | ${those.length} |\n`).join('')}
| package | version | licence |
|---|---|---|
${packages.map(row).join('')}
¹ Only where the machine's own Node is older than 24.
`;
}

const row = ({ name, version, licence, isOptional }: ProductionPackage) =>
  `| \`${name}\`${isOptional ? '¹' : ''} | ${version} | ${licence ?? 'none stated'} |\n`;
