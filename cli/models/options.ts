import { resolve } from 'node:path';
import { Option } from 'commander';
import type { RegistryDocument } from '../../models/registry-document.ts';
import { registryFilePath, updateRegistryFile } from '../../models/registry-file.ts';
import { readSettings } from '../../settings/read-settings.ts';
import type { Settings } from '../../settings/variables.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import { modelsFolder } from '../../supervisor/models-file.ts';
import { UsageError } from '../run-command.ts';

export interface FileOptions {
  readonly file?: string;
  readonly json?: true;
}

export function fileOption(): Option {
  return new Option(
    '--file <path>',
    'list of the models, not a model file (default: MODELS_FILE, else models.json in DATA_DIR)',
  );
}

/** Where the models of a command are: in the file that the deployment reads, unless another one is named. */
export interface ModelsPlace {
  readonly file: string;
  readonly modelsDir: string;
  readonly settings: Settings;
}

/** `named` is the value of `--file`. Throws a UsageError if it names a model instead of the list. */
export function resolvePlace(named: string | undefined): ModelsPlace {
  if (named !== undefined && /\.gguf$/i.test(named)) {
    throw new UsageError(
      `--file names the list of the models, such as models.json, but ${named} is a model file; name it with --model-file (in MODELS_DIR) or --path (elsewhere)`,
    );
  }
  const { settings } = readSettings(process.env);
  const dataDir = resolve(resolveDataDir(settings.DATA_DIR));
  const file = named ?? registryFilePath({ MODELS_FILE: settings.MODELS_FILE, dataDir });
  return { file, modelsDir: modelsFolder(settings, dataDir), settings };
}

/** Changes the file, and returns its document after the change. */
export async function updateModels(
  named: string | undefined,
  change: (document: RegistryDocument) => RegistryDocument,
): Promise<RegistryDocument & { readonly file: string }> {
  const { file, modelsDir } = resolvePlace(named);
  let changed: RegistryDocument = { models: [], aliases: [] };
  await updateRegistryFile(file, modelsDir, (document) => {
    changed = change(document);
    return changed;
  });
  return { ...changed, file };
}
