import { basename, join, resolve } from 'node:path';
import type { Settings } from '../../settings/variables.ts';
import { findGgufFiles, statPath } from './gguf-file.ts';

/** What llama-server is to load. */
export type ModelSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'hugging-face'; readonly repo: string }
  /** `path` is where llama-server puts what it downloads. */
  | { readonly kind: 'url'; readonly url: string; readonly path: string };

export interface ModelChoice {
  readonly model: ModelSource | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type ModelSettings = Pick<Settings, 'MODEL_PATH' | 'MODEL_NAME' | 'MODELS_DIR' | 'HF_REPO' | 'MODEL_URL'>;

/** The variables that can name the model, the first one that is set wins. */
const byPrecedence = ['MODEL_PATH', 'MODEL_NAME', 'HF_REPO', 'MODEL_URL'] as const;

export function chooseModel(settings: ModelSettings, dataDir: string): ModelChoice {
  const modelsDir = resolve(settings.MODELS_DIR ?? join(dataDir, 'models'));
  const [chosen, ...others] = byPrecedence.filter((name) => settings[name] !== undefined);
  if (chosen === undefined) return { model: undefined, problems: [noModel(modelsDir)], warnings: [] };
  const model = sourceOf(settings, modelsDir);
  const warnings = others.map((name) => `${name} is not used, because ${chosen} is set too`);
  return model
    ? { model, problems: [], warnings }
    : { model, problems: [notFound(settings.MODEL_NAME ?? '', modelsDir)], warnings };
}

function sourceOf(settings: ModelSettings, modelsDir: string): ModelSource | undefined {
  const { MODEL_PATH, MODEL_NAME, HF_REPO, MODEL_URL } = settings;
  if (MODEL_PATH !== undefined) return { kind: 'file', path: resolve(MODEL_PATH) };
  if (MODEL_NAME !== undefined) return findByName(MODEL_NAME, modelsDir);
  if (HF_REPO !== undefined) return { kind: 'hugging-face', repo: HF_REPO };
  return MODEL_URL === undefined
    ? undefined
    : { kind: 'url', url: MODEL_URL, path: join(modelsDir, fileNameOf(MODEL_URL)) };
}

/** Always a model's name: what is downloaded takes the place of a model, and of nothing else that lies there. */
function fileNameOf(url: string): string {
  const name = basename(decoded(new URL(url).pathname)).replace(/\p{Cc}/gu, '');
  if (/[^.].*\.gguf$/i.test(name)) return name;
  return /^\.*$/.test(name) ? 'model.gguf' : `${name}.gguf`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
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
  return `no model is named: set MODEL_PATH, MODEL_NAME, HF_REPO or MODEL_URL (${describeModelFolder(modelsDir)})`;
}

function notFound(name: string, modelsDir: string): string {
  return `MODEL_NAME: there is no ${name} in ${modelsDir} (${describeModelFolder(modelsDir)})`;
}

/** The end of a message about a missing model: what could have been meant. */
export function describeModelFolder(folder: string): string {
  const files = findGgufFiles(folder);
  return files.length === 0
    ? `no .gguf file was found in ${folder}`
    : `found in ${folder}: ${files.join(', ')}`;
}

/** The name that a model goes by where MODEL_ALIAS gives none: its file's or repository's, without ending and part number. */
export function defaultModelName(model: ModelSource): string {
  if (model.kind === 'hugging-face')
    return basename(model.repo.split(':', 1)[0] ?? '').replace(/-gguf$/i, '');
  return basename(model.path)
    .replace(/\.gguf$/i, '')
    .replace(/-\d{5}-of-\d{5}$/, '');
}
