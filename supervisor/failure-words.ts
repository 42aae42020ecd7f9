import type { Log } from '../log/create-log.ts';
import type { CrashClass } from './crash-class.ts';
import type { HouseEnd, HouseFailure } from './house.ts';

export const failureWords: Readonly<Record<HouseFailure, string>> = {
  'engine-failed': 'llama-server will not be started again: its last lines above say why',
  'gateway-failed': 'the gateway will not be started again: its last lines above say why',
  'load-timed-out':
    'the model did not load within LOAD_TIMEOUT: give it longer, or look at the disk it is read from',
};

/** What an operator can do about it. */
const advice: Readonly<Partial<Record<CrashClass, string>>> = {
  'not-startable': 'check LLAMA_SERVER_BIN',
  'bad-arguments': 'this llama-server does not know an argument: look at EXTRA_ARGS, or use a newer build',
  'bad-model': 'the model file cannot be used: is it whole, and is this llama-server new enough for it?',
  'out-of-vram': 'the GPU has too little memory: lower NGL, CTX or PARALLEL, or take a smaller quantization',
  'out-of-memory': 'the machine has too little memory: lower CTX or PARALLEL, or take a smaller quantization',
  killed: 'something killed it, most likely the kernel for want of memory',
  'address-taken': 'its address is in use: change PORT_BACKEND',
};

const shownLines = 10;

/** Tells an end that nobody asked for: how, the last words, what follows, what may help. */
export function tellEnd(log: Log, { who, end, crash, restartInMs }: HouseEnd): void {
  const how = end.spawnError?.message ?? (end.signal ? `by ${end.signal}` : `with exit code ${end.code}`);
  const help = who === 'llama-server' && advice[crash] !== undefined ? ` (${crash}: ${advice[crash]})` : '';
  log.error(`${who} ended ${how}${help}`);
  for (const line of end.lastLines.slice(-shownLines)) log.error(`${who} said: ${line}`);
  if (restartInMs !== undefined) log.warn(`${who} starts again in ${Math.max(0, restartInMs / 1000)} s`);
}
