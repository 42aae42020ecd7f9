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

/** An object of Kubernetes, as far as all are alike. */
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

/** Where the chart's templates stop and its notes begin. */
const notesMark = '#### notes';

/**
 * Renders the chart by chezmoi, which has what Helm's templates are made of, Go's text/template and sprig, and is
 * stricter than Helm: a value that is not there is a mistake. The chart uses nothing of Helm's own but `include` and
 * what is handed over here. compare-with-helm.ts shows that Helm makes the same of it.
 */
export async function renderChart({ command, args }: ProgramCommand, values: Values): Promise<Rendered> {
  await using folder = await temporaryFolder();
  const own = {
    source: 'source',
    destination: 'home',
    config: 'none.toml',
    'persistent-state': 'state',
    cache: 'cache',
  };
  const places = Object.entries(own).flatMap(([flag, name]) => [`--${flag}`, folder.file(name)]);
  await mkdir(folder.file('source/.chezmoitemplates'), { recursive: true });
  for (const [name, body] of await readDefinitions())
    await writeFile(folder.file(`source/.chezmoitemplates/${name}`), body);
  const Chart = upperFirst(parse(await readFile(join(chartFolder, 'Chart.yaml'), 'utf8')));
  const data = JSON.stringify({ Values: values, Release: release, Chart });
  const { stdout } = await execa(command, [...args, ...places, '--override-data', data, 'execute-template'], {
    input: await readTemplates(),
    env: { HOME: folder.path },
  });
  return readRendered(stdout);
}

function readRendered(text: string): Rendered {
  const [manifests = '', notes = ''] = text.split(notesMark);
  const documents = parseAllDocuments(manifests);
  const mistakes = documents.flatMap(({ errors }) => errors);
  if (mistakes.length > 0) throw new AggregateError(mistakes, 'what was rendered is no YAML');
  return {
    manifests: documents.map((document) => document.toJS()).filter((it) => it !== null),
    notes: notes.trim(),
  };
}

/** All templates one behind the other, the notes last. */
async function readTemplates(): Promise<string> {
  const files = (await readdir(join(chartFolder, 'templates'))).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(files.sort().map(readTemplate));
  return [...texts, notesMark, await readTemplate('NOTES.txt')].join('\n---\n');
}

/** The templates that others include, by name. */
async function readDefinitions(): Promise<[string, string][]> {
  const parts = (await readTemplate('_helpers.tpl')).split(/\{\{- define "([^"]+)" -\}\}/).slice(1);
  return parts.flatMap((name, index) => {
    if (index % 2 === 1) return [];
    const rest = parts[index + 1] ?? '';
    return [[name, rest.slice(0, rest.lastIndexOf('{{- end }}')).trim()]];
  });
}

/** In chezmoi `include` means files. */
async function readTemplate(name: string): Promise<string> {
  const text = await readFile(join(chartFolder, 'templates', name), 'utf8');
  return text.replaceAll(/\binclude "/g, 'includeTemplate "');
}

/** Templates know the fields of Chart.yaml by the names that Go has for them. */
function upperFirst(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name.charAt(0).toUpperCase() + name.slice(1), value]),
  );
}
