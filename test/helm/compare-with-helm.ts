/**
 * `node test/helm/compare-with-helm.ts [HELM]` checks that Helm renders the chart like chezmoi, which the tests use. Run it
 * after changes in the style of the templates.
 */
import { deepStrictEqual } from 'node:assert';
import { join } from 'node:path';
import { execa } from 'execa';
import { parseAllDocuments } from 'yaml';
import { chezmoi } from '../services/service-catalogue.ts';
import { requireTestService } from '../services/test-service.ts';
import { testedValues } from './chart.ts';
import { chartFolder, type Manifest, release, renderChart } from './render-chart.ts';

const helm = process.argv[2] ?? 'helm';
const renderer = await requireTestService(chezmoi);
if (!renderer) throw new Error('chezmoi is missing');

for (const { name, values } of await testedValues()) {
  const file = join(chartFolder, 'ci', `${name}-values.yaml`);
  const common = [release.Name, chartFolder, '--namespace', release.Namespace, '--values', file];
  const { stdout } = await execa(helm, ['template', ...common, '--kube-version', '1.33.0']);
  await execa(helm, ['lint', '--strict', chartFolder, '--values', file], { stdout: 'inherit' });
  const { manifests } = await renderChart(renderer, values);
  deepStrictEqual(byName(manifests), byName(parseAllDocuments(stdout).map((document) => document.toJS())));
  console.log(`${name}: ${manifests.length} equal objects`);
}

function byName(manifests: readonly (Manifest | null)[]): Record<string, Manifest> {
  const present = manifests.filter((manifest) => manifest !== null);
  return Object.fromEntries(present.map((it) => [`${it.kind} ${it.metadata.name}`, it]));
}
