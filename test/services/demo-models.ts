import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type DemoModelName, writeDemoModel } from '../../cli/demo-model/write-demo-model.ts';
import { demoModelPath } from '../../cli/serve/demo-model.ts';
import type { LlamaServerOptions } from './start-llama-server.ts';

/*
 * The demo models and what they are known to answer: `storyText` (cli/demo-model/stories.ts) for `guide`, `taleText`
 * (cli/demo-model/tales.ts) for `tales`, `expectedEmbedding` and `expectedScore` (demo-model-values.ts) for the others.
 */

const cache = join(import.meta.dirname, '../../.cache');

/** The arguments of llama-server that serve a model. */
export const demoModelArguments = {
  guide: [],
  tales: [],
  embeddings: ['--embeddings'],
  rerank: ['--reranking'],
} as const satisfies Record<DemoModelName, readonly string[]>;

/** The path of a demo model, which is written once and kept in the cache folder. */
export async function demoModelFile(name: DemoModelName): Promise<string> {
  const file = demoModelPath(cache, name);
  if (!existsSync(file)) await writeDemoModel(file, name);
  return file;
}

/** The options of `startLlamaServer` for a demo model. */
export async function demoModelOptions(name: DemoModelName): Promise<LlamaServerOptions> {
  const context = name === 'embeddings' || name === 'rerank' ? { context: 512 } : {};
  return { model: await demoModelFile(name), args: demoModelArguments[name], ...context };
}
