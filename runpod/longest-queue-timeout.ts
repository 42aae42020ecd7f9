import { join, resolve } from 'node:path';
import { readRegistryFile } from '../models/registry-file.ts';
import type { Settings } from '../settings/variables.ts';

type TimeoutSettings = Pick<Settings, 'QUEUE_TIMEOUT' | 'MODELS_FILE' | 'MODELS_DIR' | 'DATA_DIR'>;

/**
 * The longest time that the gateway may let a request wait, ms: a model may have a queue timeout of its own. Read for each job,
 * as `models.json` may change. If it cannot be read, the gateway uses the models of before, which are not known here.
 */
export async function longestQueueTimeout(settings: TimeoutSettings): Promise<number> {
  const { QUEUE_TIMEOUT, MODELS_FILE, MODELS_DIR, DATA_DIR = './data' } = settings;
  if (MODELS_FILE === undefined) return QUEUE_TIMEOUT;
  const modelsDir = resolve(MODELS_DIR ?? join(DATA_DIR, 'models'));
  try {
    const { registry } = await readRegistryFile(resolve(MODELS_FILE), modelsDir);
    return Math.max(QUEUE_TIMEOUT, ...registry.models.map(({ limits }) => limits.queueTimeout ?? 0));
  } catch {
    return QUEUE_TIMEOUT;
  }
}
