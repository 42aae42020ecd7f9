import { computesVectors } from './context-size.ts';
import { includesArgument } from './extra-arguments.ts';
import { modelFileBytes, modelFileParts, modelFileProblems } from './gguf-file.ts';
import { readGgufHeader } from './gguf-header.ts';
import type { AdapterFile, ModelSource } from './registry.ts';

export const adapterNamePattern = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u;

/** What a list of `name=path` contains; a text in place of an entry is what is wrong with it. */
export function parseAdapters(list: readonly string[]): readonly (AdapterFile | string)[] {
  const names = list.map((entry) => entry.split('=', 1)[0] ?? '');
  return list.map((entry, index) => {
    const [, name = '', path = ''] = /^([^=]*)=(.+)$/s.exec(entry) ?? [];
    if (!adapterNamePattern.test(name))
      return `invalid entry "${entry}"; expected name=path, with a name of letters, digits and . _ -`;
    return names.indexOf(name) < index ? `"${name}" is named twice; rename one` : { name, path };
  });
}

export interface AdapterOptions {
  readonly adapters?: readonly AdapterFile[] | undefined;
  readonly extraArgs: readonly string[];
}

interface AdaptedFiles {
  readonly model: ModelSource;
  readonly adapters?: readonly AdapterFile[] | undefined;
}

/** What is wrong with the files of a model's adapters: they have to be made for its architecture. */
export function adapterFileProblems({ model, adapters = [] }: AdaptedFiles): string[] {
  const base = adapters.length === 0 ? undefined : readArchitecture(model);
  return adapters.flatMap(({ name, path }) => {
    const missing = modelFileProblems(path);
    const found = missing.length > 0 ? missing : [contentProblem(path, base)];
    return found.filter((problem) => problem !== undefined).map((problem) => `adapter ${name}: ${problem}`);
  });
}

/** Arguments that contradict what adapters need. */
export function adapterArgumentProblem({ adapters = [], extraArgs }: AdapterOptions): string | undefined {
  if (adapters.length === 0) return undefined;
  const same = ['--lora', '--lora-scaled', '--lora-init-without-apply'].find((name) =>
    includesArgument(extraArgs, [name]),
  );
  if (same !== undefined) return `${same} cannot be used beside adapters; add the file to the adapters`;
  if (computesVectors(extraArgs))
    return 'adapters are for chat models only: embeddings and rankings ignore them';
  return includesArgument(extraArgs, ['--cache-ram', '-cram'])
    ? '--cache-ram cannot be used beside adapters: llama-server would mix their caches; remove it'
    : undefined;
}

/** Commas and colons separate the files on llama-server's command line. */
const separators = /[,:"]/;

function contentProblem(path: string, base: string | undefined): string | undefined {
  if (separators.test(path)) return `${path}: the path contains a comma, a colon or a quote; rename the file`;
  try {
    const { metadata } = readGgufHeader(path);
    if (metadata.get('general.type') !== 'adapter' || metadata.get('adapter.type') !== 'lora')
      return `${path} is a GGUF file, but no LoRA adapter; convert one with convert_lora_to_gguf.py`;
    const own = metadata.get('general.architecture');
    return base === undefined || own === base
      ? undefined
      : `${path} is made for models of the architecture ${own}, but the model is ${base}`;
  } catch (error) {
    return `${path} ${(error as Error).message}`;
  }
}

/** Undefined if the file is not there yet, or cannot be read. */
function readArchitecture(model: ModelSource): string | undefined {
  if (model.kind === 'hugging-face' || modelFileBytes(model.path) === 0) return undefined;
  try {
    const [first = model.path] = modelFileParts(model.path);
    return String(readGgufHeader(first).metadata.get('general.architecture'));
  } catch {
    return undefined;
  }
}
