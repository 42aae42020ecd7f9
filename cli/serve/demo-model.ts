import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project-folders.ts';
import type { Settings } from '../../settings/variables.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import { findModelsFile } from '../../supervisor/models-file.ts';
import type { DemoModelName } from '../demo-model/write-demo-model.ts';

/** The public name of the demo model. */
export const demoModelName = 'demo';

/**
 * The path of the demo model in the cache folder. It is written at the first start and whenever its sources have
 * changed, by a separate process, so that its memory is not kept by the supervisor.
 */
export async function ensureDemoModel(cache: string): Promise<string> {
  const file = demoModelPath(cache, 'guide');
  if (!existsSync(file)) {
    const { execa } = await import('execa');
    await execa(process.execPath, [join(projectFolder, 'cli/corral.ts'), 'demo-model', file], {
      stdin: 'ignore',
    });
  }
  return file;
}

/** Where the cache folder has the demo model that the present sources write. */
export function demoModelPath(cache: string, name: DemoModelName): string {
  return join(cache, `demo-${name}-${digestOfSources()}.gguf`);
}

function digestOfSources(): string {
  const folder = join(projectFolder, 'cli/demo-model');
  const digest = createHash('sha256');
  for (const name of globSync('**/*.ts', { cwd: folder }).sort())
    if (!name.endsWith('.test.ts')) digest.update(readFileSync(join(folder, name)));
  return digest.digest('hex').slice(0, 12);
}

/** The variables that name the model; one of them is enough. */
const names = ['MODEL_PATH', 'MODEL_NAME', 'HF_REPO', 'MODEL_URL'] as const;
export const modelVariables: readonly string[] = names;

type ModelSettings = Pick<Settings, (typeof names)[number] | 'MODELS_FILE' | 'DATA_DIR'>;

/** Whether no model is configured: neither one nor several. */
export function noModelConfigured(settings: ModelSettings): boolean {
  const modelsFile = findModelsFile(settings, resolveDataDir(settings.DATA_DIR));
  return modelsFile === undefined && names.every((name) => settings[name] === undefined);
}
