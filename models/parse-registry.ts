import type * as z from 'zod';
import { nearestName, withoutStyle } from '../settings/nearest-name.ts';
import { invalidValue } from './field.ts';
import { downloadPath } from './gguf-file.ts';
import type { Alias, BackendsSource, ModelRecord, ModelSource, Registry } from './registry.ts';
import { RegistryError } from './registry.ts';
import { type Entry, isObject, modelProblems, nameProblems } from './registry-checks.ts';
import { aliasSchema, knownFields, modelSchema } from './registry-fields.ts';

/**
 * Reads the text of `models.json`. `modelsDir`, an absolute path, is where the fields find files. Throws a RegistryError
 * with all mistakes, each with its place: `models[2].ctx: …`.
 */
export function parseRegistry(text: string, modelsDir: string): Registry {
  const content = parseJson(text);
  if (!isObject(content)) throw new RegistryError([`the file: ${invalidValue(content, 'a JSON object')}`]);
  rejectNewerVersion(content);
  const [models, aliases] = [entriesOf(content, 'models'), entriesOf(content, 'aliases')];
  const schema = modelSchema(modelsDir);
  const readModels = models.map((entry) => ({ entry, result: schema.safeParse(entry.fields) }));
  const readAliases = aliases.map((entry) => ({ entry, result: aliasSchema.safeParse(entry.fields) }));
  const problems = [
    ...fileProblems(content),
    ...[...readModels, ...readAliases].flatMap(({ entry, result }) => formatIssues(entry, result.error)),
    ...models.filter(isWithFields).flatMap(modelProblems),
    ...nameProblems(models.filter(isWithFields), aliases.filter(isWithFields)),
  ];
  if (problems.length > 0) throw new RegistryError(problems);
  return {
    models: readModels.flatMap(({ result }) => (result.data ? [toModel(result.data, modelsDir)] : [])),
    aliases: readAliases.flatMap(({ result }) => (result.data ? [result.data satisfies Alias] : [])),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, ' ');
    throw new RegistryError([`is not valid JSON: ${reason}`]);
  }
}

type Content = Readonly<Record<string, unknown>>;

function rejectNewerVersion({ version }: Content): void {
  if (typeof version === 'number' && version > 1) {
    throw new RegistryError([
      `has version ${version}, but this llama-corral supports version 1: update llama-corral, or restore the file`,
    ]);
  }
}

const ofFile = ['version', 'models', 'aliases'];

function fileProblems(content: Content): string[] {
  const { version, models = [], aliases = [] } = content;
  return [
    ...Object.keys(content)
      .filter((name) => !ofFile.includes(name))
      .map((name) => unknownField(name, '', ofFile)),
    ...(version === 1 ? [] : [`version: ${invalidValue(version, '1')}`]),
    ...(Array.isArray(models) ? [] : [`models: ${invalidValue(models, 'a list of models')}`]),
    ...(Array.isArray(aliases) ? [] : [`aliases: ${invalidValue(aliases, 'a list of aliases')}`]),
  ];
}

interface WrittenEntry {
  readonly place: string;
  readonly path: readonly [list: string, index: number];
  readonly fields: unknown;
}

function entriesOf(content: Content, list: 'models' | 'aliases'): readonly WrittenEntry[] {
  const written = content[list];
  if (!Array.isArray(written)) return [];
  return written.map((fields: unknown, index) => ({
    place: `${list}[${index}]`,
    path: [list, index] as const,
    fields,
  }));
}

const isWithFields = (entry: WrittenEntry): entry is WrittenEntry & Entry => isObject(entry.fields);

function formatIssues({ place, path }: WrittenEntry, error: z.ZodError | undefined): string[] {
  return (error?.issues ?? []).flatMap((issue) => {
    const steps = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
    const at = `${place}${steps.join('')}`;
    if (issue.code !== 'unrecognized_keys') return [`${at}: ${issue.message}`];
    const known = knownFields([...path, ...issue.path]);
    return issue.keys.map((name) => unknownField(name, `${at}.`, known));
  });
}

/** Names that llama-server, llama-swap and others use for our fields, without their style. */
const synonyms: Readonly<Record<string, string>> = {
  name: 'id',
  alias: 'name',
  model: 'path',
  modelpath: 'path',
  repo: 'hf',
  hfrepo: 'hf',
  modelurl: 'url',
  type: 'kind',
  task: 'kind',
  ctxsize: 'ctx',
  contextsize: 'ctx',
  contextlength: 'ctx',
  nctx: 'ctx',
  np: 'parallel',
  slots: 'parallel',
  gpulayers: 'ngl',
  ngpulayers: 'ngl',
  extraargs: 'args',
  gpus: 'devices',
  pinned: 'pin',
  preload: 'pin',
  idletimeout: 'ttl',
  sleepidleseconds: 'ttl',
  unlisted: 'listed',
  hidden: 'listed',
  draftmodel: 'draft',
  lora: 'adapters',
  loras: 'adapters',
  loraadapters: 'adapters',
  loramodules: 'adapters',
  speculation: 'speculate',
  spectype: 'speculate',
  parameters: 'defaults',
  apikeyfile: 'keyFile',
};

function unknownField(name: string, at: string, known: readonly string[]): string {
  const shown = /^\w{1,40}$/.test(name) ? name : JSON.stringify(name.slice(0, 40));
  const synonym = synonyms[withoutStyle(name)];
  const meant = synonym !== undefined && known.includes(synonym) ? synonym : nearestName(name, known);
  const fix = meant === undefined ? `the fields are ${known.join(', ')}` : `did you mean "${meant}"?`;
  return `${at}${shown}: unknown field; ${fix}`;
}

type ReadModel = z.output<ReturnType<typeof modelSchema>>;

function toModel({ path, file, hf, url, backends, ...fields }: ReadModel, modelsDir: string): ModelRecord {
  const { ctx, parallel, ngl, mmproj, draft, speculate, devices, ttl } = fields;
  const source = sourceOf({ path: path ?? file, hf, url, backends }, modelsDir);
  return { ...fields, source, ctx, parallel, ngl, mmproj, draft, speculate, devices, ttl };
}

type Sources = Pick<ReadModel, 'path' | 'hf' | 'url' | 'backends'>;

/** Exactly one is given. */
function sourceOf({ path, hf, url, backends }: Sources, modelsDir: string): ModelSource | BackendsSource {
  if (path !== undefined) return { kind: 'file', path };
  if (hf !== undefined) return { kind: 'hugging-face', repo: hf };
  if (url !== undefined) return { kind: 'url', url, path: downloadPath(url, modelsDir) };
  return { kind: 'backends', backends: backends ?? [] };
}
