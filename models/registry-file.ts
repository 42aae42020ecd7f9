import { join } from 'node:path';
import { FileError, withFileErrors } from '../fs/file-error.ts';
import { LiveFile } from '../fs/live-file.ts';
import { updateFile } from '../fs/update-file.ts';
import { type Snapshot, takeSnapshot } from '../fs/watched-file.ts';
import { parseRegistry } from './parse-registry.ts';
import { type Registry, RegistryError } from './registry.ts';
import { emptyDocument, formatDocument, parseDocument, type RegistryDocument } from './registry-document.ts';

interface RegistryFileSettings {
  readonly MODELS_FILE: string | undefined;
  readonly dataDir: string;
}

export function registryFilePath({ MODELS_FILE, dataDir }: RegistryFileSettings): string {
  return MODELS_FILE ?? join(dataDir, 'models.json');
}

interface RegistryStoreOptions {
  readonly file: string;
  /** An absolute path. */
  readonly modelsDir: string;
  /** Further reasons not to use a registry, such as memory that this machine does not have. */
  readonly check?: ((registry: Registry) => readonly string[]) | undefined;
  /** Called after the registry was replaced by that of a changed file. */
  readonly onChange?: ((registry: Registry) => void) | undefined;
  /** Called once per problem when the file cannot be used and the registry stays; not for a problem at the start. */
  readonly onError?: ((problem: string) => void) | undefined;
  /** Called when such a problem has ended without a change. */
  readonly onRecovered?: ((message: string) => void) | undefined;
}

/** The registry of a file as last read successfully; without a file it is empty. */
export interface LoadedRegistry {
  readonly registry: Registry;
  /** Undefined as long as there was no valid file. */
  readonly text: string | undefined;
}

/** Keeps the registry up to date: a change of the file applies within a second, and an invalid file changes nothing. */
export type RegistryStore = LiveFile<LoadedRegistry>;

export function createRegistryStore(options: RegistryStoreOptions): RegistryStore {
  const { file, onChange, onError, onRecovered } = options;
  return new LiveFile<LoadedRegistry>({
    file,
    subject: 'models',
    initial: { registry: { models: [], aliases: [] }, text: undefined },
    parse: (snapshot, before) => parseOnDisk(snapshot, before, options),
    isSame: (value, before) => value.text === before.text,
    onChange: ({ registry }) => onChange?.(registry),
    onError: (problem) => onError?.(problem),
    onRecovered: (message) => onRecovered?.(message),
  });
}

/**
 * Throws if the content must not replace the registry from `before`: it has mistakes, or the file is missing or empty, as
 * happens for a moment when it is replaced by hand.
 */
function parseOnDisk(
  snapshot: Snapshot | undefined,
  before: LoadedRegistry,
  { modelsDir, check }: RegistryStoreOptions,
): LoadedRegistry {
  if (!snapshot) {
    if (before.text === undefined) return before;
    throw new FileError('is missing: restore it; the previous models stay in use until then');
  }
  const { text } = snapshot;
  if (text === before.text) return before;
  if (text.trim() === '' && before.registry.models.length > 0)
    throw new FileError('is empty: to remove all models, write {"version":1,"models":[]}');
  const { registry } = parse(text, modelsDir);
  const problems = check?.(registry) ?? [];
  if (problems.length > 0) throw new RegistryError(problems);
  return { registry, text };
}

/** Reads the registry and its document. A missing file is empty. Throws a FileError that names the file. */
export async function readRegistryFile(
  file: string,
  modelsDir: string,
): Promise<{ readonly registry: Registry; readonly document: RegistryDocument }> {
  return withFileErrors(file, async () => parse((await takeSnapshot(file))?.text ?? '', modelsDir));
}

/**
 * Rewrites the file with the result of `change`. Writers take a lock, so `change` always gets the latest document. The file
 * stays as it is if `change` throws, or if its result has mistakes. Throws a FileError that names the file.
 */
export async function updateRegistryFile(
  file: string,
  modelsDir: string,
  change: (document: RegistryDocument) => RegistryDocument,
): Promise<Registry> {
  return withFileErrors(file, async () => {
    let registry: Registry = { models: [], aliases: [] };
    await updateFile(file, (text) => {
      const changed = change(parse(text, modelsDir).document);
      const changedText = formatDocument(changed);
      registry = parseChanged(changedText, modelsDir, changed);
      return changedText;
    });
    return registry;
  });
}

/** A command changes an alias by its name, so its errors name the alias instead of its place in the file. */
function parseChanged(text: string, modelsDir: string, { aliases }: RegistryDocument): Registry {
  try {
    return parseRegistry(text, modelsDir);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const named = error.problems.map((problem) =>
      problem.replace(/^aliases\[(\d+)\]\./, (_, index) => `alias "${aliases[Number(index)]?.name}": `),
    );
    throw new RegistryError(named, { cause: error });
  }
}

function parse(text: string, modelsDir: string) {
  if (text.trim() === '') return { registry: { models: [], aliases: [] }, document: emptyDocument };
  return { registry: parseRegistry(text, modelsDir), document: parseDocument(text) };
}
