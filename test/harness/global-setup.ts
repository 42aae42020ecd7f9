import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestProject } from 'vitest/node';
import { demoModelBytes, writeDemoModel } from '../../cli/demo-model/write-demo-model.ts';
import { readEngineVersion } from '../../scripts/engine/engine-version.ts';
import { findOrFetchEngine } from '../../scripts/engine/find-engine.ts';
import { cacheFolder as cache, projectFolder } from '../../scripts/project-folders.ts';
import '../services/start-llama-server.ts';

/**
 * Runs before all tests: provides a real llama-server (fetched if the machine has none) and the demo model. TMPDIR is a new
 * folder, also for child processes, that is removed after the tests, so that a failed test leaves no files.
 */
export default async function prepare({ provide }: TestProject): Promise<() => Promise<void>> {
  const [engine] = await Promise.all([
    findOrFetchEngine(
      { configured: process.env.LLAMA_SERVER_BIN, searchPath: process.env.PATH, cache },
      (text) => console.error(text),
    ),
    fillCompileCache(),
  ]);
  provide('engine', engine);
  provide('demoModel', await demoModel());
  const version = await readEngineVersion(engine);
  const folder = await mkdtemp(join(tmpdir(), 'corral-'));
  process.env.TMPDIR = folder;
  return async () => {
    // At the end of the output, because the results depend on the build.
    console.error(`llama-server of this run: ${version} (${engine.origin})`);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
}

/** Products start in half the time with compiled code. Most of the tests kill theirs, and a process that is killed leaves none. */
async function fillCompileCache(): Promise<void> {
  const NODE_COMPILE_CACHE = join(cache, 'node');
  if (existsSync(NODE_COMPILE_CACHE)) return;
  await execa(process.execPath, [join(projectFolder, 'cli/container/fill-compile-cache.ts')], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE },
    extendEnv: false,
  });
}

async function demoModel(): Promise<string> {
  const file = join(cache, 'demo-model-for-tests.gguf');
  const present = await readFile(file).catch(() => undefined);
  if (!present?.equals(demoModelBytes())) await writeDemoModel(file);
  return file;
}
