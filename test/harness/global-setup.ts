import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { demoModelBytes, writeDemoModel } from '../../cli/demo-model/write-demo-model.ts';
import { readEngineVersion } from '../../scripts/engine/engine-version.ts';
import { findOrFetchEngine } from '../../scripts/engine/find-engine.ts';
import { createRunFolder } from './run-folder.ts';
import '../services/start-llama-server.ts';

const cache = join(import.meta.dirname, '../../.cache');

/**
 * Before all tests: a real llama-server, fetched where this machine has none, the demo model of these sources, and a
 * temporary folder; what is answered takes that away after them, and says which llama-server it was.
 */
export default async function prepare({ provide }: TestProject): Promise<() => Promise<void>> {
  const engine = await findOrFetchEngine(
    { configured: process.env.LLAMA_SERVER_BIN, searchPath: process.env.PATH, cache },
    (text) => console.error(text),
  );
  provide('engine', engine);
  provide('demoModel', await demoModel());
  const version = await readEngineVersion(engine);
  const closeFolder = createRunFolder();
  return async () => {
    // Behind all tests, where one looks for what they came to: builds differ.
    console.error(`llama-server of this run: ${version} (${engine.origin})`);
    await closeFolder();
  };
}

async function demoModel(): Promise<string> {
  const file = join(cache, 'demo-model-for-tests.gguf');
  const present = await readFile(file).catch(() => undefined);
  if (!present?.equals(demoModelBytes())) await writeDemoModel(file);
  return file;
}
