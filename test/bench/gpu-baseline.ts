/**
 * `npm run gpu-baseline -- --model FILE.gguf [--llama-args='-ngl 99']`: tokens/s and TTFT of a real llama-server at 1, 4, 16 and 64
 * streams, directly and through our gateway in alternating rounds. `--llama-server` names the program where it is not on the `PATH`.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeDemoModel } from '../../cli/demo-model/write-demo-model.ts';
import { findOrFetchEngine } from '../../scripts/engine/find-engine.ts';
import { cacheFolder } from '../../scripts/project-folders.ts';
import { compareOnEngine } from './engine-baseline.ts';
import { say } from './progress.ts';
import { findingsTable } from './report/findings-table.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    'llama-server': { type: 'string' },
    'llama-args': { type: 'string', default: '' },
    prompt: { type: 'string', default: 'tell me a long story' },
    'max-tokens': { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const places = {
  configured: values['llama-server'] ?? process.env.LLAMA_SERVER_BIN,
  searchPath: process.env.PATH,
  cache: cacheFolder,
};
const engine = await findOrFetchEngine(places, say);
const found = await compareOnEngine({
  engine,
  model: values.model ?? (await demoModel()),
  args: values['llama-args'].split(/\s+/).filter((part) => part !== ''),
  prompt: values.prompt,
  maxTokens: Number(values['max-tokens']),
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
});
console.log(findingsTable(found));

async function demoModel(): Promise<string> {
  const file = join(cacheFolder, 'bench', 'demo.gguf');
  await writeDemoModel(file);
  return file;
}
