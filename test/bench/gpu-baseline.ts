/**
 * `npm run gpu-baseline -- --model FILE.gguf [--llama-args='-ngl 99']` measures tokens/s and TTFT of a real llama-server at
 * 1, 4, 16 and 64 streams, with and without the gateway in alternating rounds. `--llama-server` names the program if it is
 * not on the `PATH`.
 */
import { parseArgs } from 'node:util';
import { demoModel } from './checks/check.ts';
import { compareOnEngine, findEngine } from './checks/engine.ts';
import { findingsTable } from './report/tables.ts';

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
const found = await compareOnEngine({
  engine: await findEngine(values['llama-server']),
  model: values.model ?? (await demoModel()),
  args: values['llama-args'].split(/\s+/).filter((part) => part !== ''),
  prompt: values.prompt,
  maxTokens: Number(values['max-tokens']),
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
});
console.log(findingsTable(found));
