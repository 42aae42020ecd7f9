import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';
import packageFile from '../../package.json' with { type: 'json' };
import { projectFolder } from '../project-folders.ts';

/** The README.md of the chart, from the comments in its values.yaml. `npm run docs` writes it. */
export function chartPage(): string {
  const values = describedValues(
    readFileSync(join(projectFolder, 'docker/helm/llama-corral/values.yaml'), 'utf8'),
  );
  return `${[intro, '', '| value | default | meaning |', '|---|---|---|', ...values.map(row)].join('\n')}\n`;
}

const intro = `# llama-corral on Kubernetes

How to install it, keys, GPUs, scaling and upgrades: [docs/platforms/kubernetes.md](../../../docs/platforms/kubernetes.md).
This page is generated from \`values.yaml\` by \`npm run docs\`; \`values.schema.json\` rejects misspelled names.`;

function row({ path, default: value, description }: DescribedValue): string {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  const cell = shown === '' ? '–' : `\`${shown.replaceAll('|', '\\|')}\``;
  return `| \`${path.join('.')}\` | ${cell} | ${description.replaceAll('|', '\\|')} |`;
}

/** A value of the chart with the comment above it in values.yaml. */
interface DescribedValue {
  /** Path from the root: `['image', 'tag']`. */
  readonly path: readonly string[];
  readonly default: unknown;
  readonly description: string;
}

/** The values of a values.yaml. An entry without a comment is a group of values. */
export function describedValues(text: string): DescribedValue[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml is not a map');
  return valuesIn(contents, []);
}

function valuesIn(map: YAMLMap, above: readonly string[]): DescribedValue[] {
  return map.items.flatMap((pair, index) => {
    const path = [...above, nameOf(pair)];
    const comment = commentAbove(pair) ?? (index === 0 ? map.commentBefore : undefined);
    if (comment !== undefined && comment !== null)
      return [{ path, default: plain(pair), description: joinLines(comment) }];
    if (isMap(pair.value) && pair.value.items.length > 0) return valuesIn(pair.value, path);
    throw new Error(`values.yaml does not describe ${path.join('.')}: add a comment above it`);
  });
}

function nameOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

function commentAbove({ key }: Pair): string | null | undefined {
  return isScalar(key) ? key.commentBefore : undefined;
}

function plain({ value }: Pair): unknown {
  return (value as { toJSON(): unknown } | null)?.toJSON();
}

/** A separate paragraph belongs to the file, not to the value. */
function joinLines(comment: string): string {
  const own = comment.split(/\n\s*\n/).at(-1) ?? '';
  return own.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** Chart.yaml with the version of package.json, for the chart and its images. `npm run docs` writes it. */
export function chartFile(): string {
  const text = readFileSync(join(projectFolder, 'docker/helm/llama-corral/Chart.yaml'), 'utf8');
  return text.replaceAll(/^(version|appVersion): .*$/gm, `$1: ${packageFile.version}`);
}
