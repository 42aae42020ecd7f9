import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import packageFile from '../../package.json' with { type: 'json' };
import { projectFolder } from '../project-folders.ts';

/** Chart.yaml with the version of package.json, for the chart and for the images that it takes. `npm run docs` writes it. */
export function chartFile(): string {
  const text = readFileSync(join(projectFolder, 'docker/helm/llama-corral/Chart.yaml'), 'utf8');
  return text.replaceAll(/^(version|appVersion): .*$/gm, `$1: ${packageFile.version}`);
}
