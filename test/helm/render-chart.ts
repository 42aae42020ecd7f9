import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse, parseAllDocuments } from 'yaml';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { projectFolder } from '../../scripts/project-folders.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';

export const chartFolder = join(projectFolder, 'docker/helm/llama-corral');
export const release = { Name: 'lab', Namespace: 'models', Service: 'Helm' } as const;

export type Values = { readonly [name: string]: unknown };

/** The common fields of Kubernetes objects. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

export interface Rendered {
  readonly manifests: readonly Manifest[];
  readonly notes: string;
}

/** Separates the templates from the notes. */
const notesMark = '#### notes';

/**
 * Renders the chart with chezmoi, which has the template engine of Helm (Go's text/template and sprig) and is stricter: a
 * missing value is an error. Of Helm itself the chart uses only `include` and the objects passed here. compare-with-helm.ts
 * checks that Helm renders the same.
 */
export async function renderChart({ command, args }: ProgramCommand, values: Values): Promise<Rendered> {
  await using folder = await temporaryFolder();
  const paths = {
    source: 'source',
    destination: 'home',
    config: 'none.toml',
    'persistent-state': 'state',
    cache: 'cache',
  };
  const options = Object.entries(paths).flatMap(([flag, name]) => [`--${flag}`, folder.file(name)]);
  await mkdir(folder.file('source/.chezmoitemplates'), { recursive: true });
  for (const [name, body] of await readDefinitions())
    await writeFile(folder.file(`source/.chezmoitemplates/${name}`), body);
  const Chart = upperFirst(parse(await readFile(join(chartFolder, 'Chart.yaml'), 'utf8')));
  const data = JSON.stringify({ Values: values, Release: release, Chart });
  const { stdout } = await execa(
    command,
    [...args, ...options, '--override-data', data, 'execute-template'],
    {
      input: await readTemplates(),
      env: { HOME: folder.path },
    },
  );
  return readRendered(stdout);
}

function readRendered(text: string): Rendered {
  const [manifests = '', notes = ''] = text.split(notesMark);
  const documents = parseAllDocuments(manifests);
  const faults = documents.flatMap(({ errors }) => errors);
  if (faults.length > 0) throw new AggregateError(faults, 'the rendered chart is not valid YAML');
  return {
    manifests: documents.map((document) => document.toJS()).filter((it) => it !== null),
    notes: notes.trim(),
  };
}

/** All templates, the notes last. */
async function readTemplates(): Promise<string> {
  const files = (await readdir(join(chartFolder, 'templates'))).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(files.sort().map(readTemplate));
  return [...texts, notesMark, await readTemplate('NOTES.txt')].join('\n---\n');
}

/** The named templates that others include. */
async function readDefinitions(): Promise<[string, string][]> {
  const parts = (await readTemplate('_helpers.tpl')).split(/\{\{- define "([^"]+)" -\}\}/).slice(1);
  return parts.flatMap((name, index) => {
    if (index % 2 === 1) return [];
    const rest = parts[index + 1] ?? '';
    return [[name, rest.slice(0, rest.lastIndexOf('{{- end }}')).trim()]];
  });
}

/** In chezmoi, `include` includes files. */
async function readTemplate(name: string): Promise<string> {
  const text = await readFile(join(chartFolder, 'templates', name), 'utf8');
  return text.replaceAll(/\binclude "/g, 'includeTemplate "');
}

/** In templates, the fields of Chart.yaml have upper-case names, as in Go. */
function upperFirst(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name.charAt(0).toUpperCase() + name.slice(1), value]),
  );
}
