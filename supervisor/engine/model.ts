import { basename, join, resolve } from 'node:path';
import { downloadPath, findGgufFiles, statPath } from '../../models/gguf-file.ts';
import type { ModelSource } from '../../models/registry.ts';
import { didYouMean } from '../../settings/nearest-name.ts';
import type { Settings } from '../../settings/variables.ts';

export interface ModelChoice {
  readonly model: ModelSource | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type ModelSettings = Pick<Settings, 'MODEL_PATH' | 'MODEL_NAME' | 'MODELS_DIR' | 'HF_REPO' | 'MODEL_URL'>;

/** The variables that select the model. The first one that is set wins. */
const byPrecedence = ['MODEL_PATH', 'MODEL_NAME', 'HF_REPO', 'MODEL_URL'] as const;

/**
 * The model that the variables select. Of several that are set the first by precedence counts; the others are warned about.
 * `invalid`: variables that have a value, but not a valid one, which is reported elsewhere.
 */
export function chooseModel(
  settings: ModelSettings,
  dataDir: string,
  invalid: readonly string[] = [],
): ModelChoice {
  const modelsDir = resolve(settings.MODELS_DIR ?? join(dataDir, 'models'));
  const [chosen, ...others] = byPrecedence.filter((name) => settings[name] !== undefined);
  if (chosen === undefined) {
    const isGiven = byPrecedence.some((name) => invalid.includes(name));
    return { model: undefined, problems: isGiven ? [] : [noModel(modelsDir)], warnings: [] };
  }
  const model = findSource(settings, modelsDir);
  const warnings = others.map((name) => `${name} is ignored because ${chosen} is set`);
  return model
    ? { model, problems: [], warnings }
    : { model, problems: [modelNotFound(settings.MODEL_NAME ?? '', modelsDir)], warnings };
}

function findSource(settings: ModelSettings, modelsDir: string): ModelSource | undefined {
  const { MODEL_PATH, MODEL_NAME, HF_REPO, MODEL_URL } = settings;
  if (MODEL_PATH !== undefined) return { kind: 'file', path: resolve(MODEL_PATH) };
  if (MODEL_NAME !== undefined) return findByName(MODEL_NAME, modelsDir);
  if (HF_REPO !== undefined) return { kind: 'hugging-face', repo: HF_REPO };
  return MODEL_URL === undefined
    ? undefined
    : { kind: 'url', url: MODEL_URL, path: downloadPath(MODEL_URL, modelsDir) };
}

function findByName(name: string, modelsDir: string): ModelSource | undefined {
  const path = [join(modelsDir, name), join(modelsDir, `${name}.gguf`)].find(isFile);
  return path === undefined ? undefined : { kind: 'file', path };
}

function isFile(path: string): boolean {
  const found = statPath(path);
  return found !== undefined && !('problem' in found) && found.isFile();
}

function noModel(modelsDir: string): string {
  return `no model is configured; set MODEL_PATH, MODEL_NAME, HF_REPO or MODEL_URL, list models in models.json with corral models add, or serve a demo model with corral serve --demo (${describeModelFolder(modelsDir)})`;
}

function modelNotFound(name: string, modelsDir: string): string {
  return `MODEL_NAME: ${name} does not exist in ${modelsDir} (${describeModelFolder(modelsDir, name)})`;
}

/** The end of a message about a missing model: the models that exist, and the one that was probably meant. */
export function describeModelFolder(folder: string, missing?: string): string {
  const files = findGgufFiles(folder);
  if (files.length === 0) return `no .gguf files in ${folder}`;
  const meant = missing && (didYouMean(missing, files) ?? didYouMean(`${missing}.gguf`, files));
  return `${meant ? `${meant} ` : ''}found in ${folder}: ${files.join(', ')}`;
}

/** The public name of a model without MODEL_ALIAS: that of its file or repository, without extension and part number. */
export function defaultModelName(model: ModelSource): string {
  if (model.kind === 'hugging-face')
    return basename(model.repo.split(':', 1)[0] ?? '').replace(/-gguf$/i, '');
  return basename(model.path)
    .replace(/\.gguf$/i, '')
    .replace(/-\d{5}-of-\d{5}$/, '');
}
