import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { adapterFileProblems } from '../models/adapters.ts';
import { modelFileProblems } from '../models/gguf-file.ts';
import { parseRegistry } from '../models/parse-registry.ts';
import { type ModelRecord, type Registry, RegistryError } from '../models/registry.ts';
import type { Settings } from '../settings/variables.ts';
import { recordProblems } from './speculation-problems.ts';

type ModelSettings = Pick<Settings, 'MODELS_FILE' | 'MODELS_DIR' | (typeof ofOneModel)[number]>;

/** The variables that have no effect beside `models.json`. */
const ofOneModel = [
  ...(['MODEL_PATH', 'MODEL_NAME', 'HF_REPO', 'MODEL_URL', 'MODEL_ALIAS'] as const),
  ...(['MMPROJ', 'DRAFT_MODEL', 'LORA_ADAPTERS', 'PORT_BACKEND'] as const),
];

/** The folder in which model files are looked up. */
export function modelsFolder({ MODELS_DIR }: Pick<ModelSettings, 'MODELS_DIR'>, dataDir: string): string {
  return resolve(MODELS_DIR ?? join(dataDir, 'models'));
}

/** The file that lists several models: `MODELS_FILE`, or the one in the data folder; undefined if there is none. */
export function findModelsFile(
  { MODELS_FILE }: Pick<ModelSettings, 'MODELS_FILE'>,
  dataDir: string,
): string | undefined {
  if (MODELS_FILE !== undefined) return resolve(MODELS_FILE);
  const file = join(dataDir, 'models.json');
  return existsSync(file) ? file : undefined;
}

/** The models in the file, or everything that is wrong with it. */
export function readModels(
  file: string,
  settings: Pick<ModelSettings, 'MODELS_DIR'>,
  dataDir: string,
): { readonly registry?: Registry; readonly problems: readonly string[] } {
  try {
    const registry = parseRegistry(readFileSync(file, 'utf8'), modelsFolder(settings, dataDir));
    return registry.models.length > 0
      ? { registry, problems: [] }
      : { problems: [`${file}: lists no models; add one with corral models add`] };
  } catch (error) {
    if (error instanceof RegistryError)
      return { problems: error.problems.map((problem) => `${file}: ${problem}`) };
    const { code, message } = error as NodeJS.ErrnoException;
    return { problems: [`MODELS_FILE: cannot read ${file} (${code ?? message})`] };
  }
}

/** Models that cannot be loaded as things are. Their files may still come, so that no other model is kept from serving. */
export function modelFileWarnings({ models }: Registry): string[] {
  return models.flatMap((model) => filesProblems(model).map((problem) => `model ${model.id}: ${problem}`));
}

/** What is wrong with the files of a model that are not downloaded. */
export function filesProblems(record: ModelRecord): string[] {
  const { source, mmproj, draft } = record;
  const own = source.kind === 'file' ? [source.path] : [];
  const files = [...own, mmproj, draft].filter((file) => file !== undefined);
  return [...files.flatMap(modelFileProblems), ...recordProblems(record), ...adapterProblems(record)];
}

function adapterProblems({ source, adapters }: ModelRecord): string[] {
  return source.kind === 'backends' ? [] : adapterFileProblems({ model: source, adapters });
}

export function ignoredModelVariables(settings: ModelSettings, file: string): string[] {
  return ofOneModel
    .filter((name) => settings[name] !== undefined)
    .map((name) => `${name} is ignored because ${file} lists the models`);
}
