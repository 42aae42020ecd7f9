import { join } from 'node:path';
import { writeDemoModel } from '../../../cli/demo-model/write-demo-model.ts';
import { findOrFetchEngine } from '../../../scripts/engine/find-engine.ts';
import { cacheFolder } from '../../../scripts/project-folders.ts';
import { compareOnEngine } from '../engine-baseline.ts';
import { pinThisProcess } from '../pinned.ts';
import { say } from '../progress.ts';
import type { Check } from './check.ts';

export const engine: Check = {
  title: 'A real llama-server with the demo model',
  about:
    'Answers of 128 tokens; the engine on one core, the gateway and the client (`corral bench`) on the other.',
  async find({ rounds }) {
    const model = join(cacheFolder, 'bench', 'demo.gguf');
    await writeDemoModel(model);
    const places = {
      configured: process.env.LLAMA_SERVER_BIN,
      searchPath: process.env.PATH,
      cache: cacheFolder,
    };
    pinThisProcess(0);
    try {
      return await compareOnEngine({
        ...{
          engine: await findOrFetchEngine(places, say),
          model,
          args: ['--threads', '1', '--cache-ram', '0'],
        },
        ...{ prompt: 'tell me a long story', maxTokens: 128, rounds: Math.min(rounds, 2), seconds: 2 },
      });
    } finally {
      pinThisProcess(1);
    }
  },
};
