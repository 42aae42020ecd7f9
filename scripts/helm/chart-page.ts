import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../project-folders.ts';
import { type DescribedValue, describedValues } from './described-values.ts';

/** The chart's README.md, made of the comments in its values.yaml. `npm run docs` writes it. */
export function chartPage(): string {
  const values = describedValues(
    readFileSync(join(projectFolder, 'docker/helm/llama-corral/values.yaml'), 'utf8'),
  );
  return `${[intro, '', '| value | default | meaning |', '|---|---|---|', ...values.map(row)].join('\n')}\n`;
}

const intro = `# llama-corral on Kubernetes

How to install it, keys, GPUs, scaling and upgrades: [docs/platforms/kubernetes.md](../../../docs/platforms/kubernetes.md).
This page is generated from \`values.yaml\` by \`npm run docs\`; \`values.schema.json\` refuses what is misspelt.`;

function row({ path, default: value, description }: DescribedValue): string {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  const cell = shown === '' ? '–' : `\`${shown.replaceAll('|', '\\|')}\``;
  return `| \`${path.join('.')}\` | ${cell} | ${description.replaceAll('|', '\\|')} |`;
}
