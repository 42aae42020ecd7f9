import type { ChildEnd } from './child.ts';

/** Why llama-server ended, as far as its last words and the way it went tell. */
export type CrashClass =
  | 'not-startable'
  | 'bad-arguments'
  | 'bad-model'
  | 'out-of-vram'
  | 'out-of-memory'
  | 'cuda-error'
  | 'assertion'
  | 'killed'
  | 'address-taken'
  | 'ended-without-error'
  | 'unknown';

/** Signs in the last lines, the most telling first. */
const signs: readonly (readonly [RegExp, CrashClass])[] = [
  [/^setpriv: failed to execute/m, 'not-startable'],
  [/cudaMalloc failed|CUDA.*out of memory|failed to allocate \S*CUDA|ErrorOutOfDeviceMemory/i, 'out-of-vram'],
  [/CUDA error|hipError|no kernel image is available/i, 'cuda-error'],
  [/std::bad_alloc|cannot allocate memory|failed to allocate (CPU )?buffer/i, 'out-of-memory'],
  [/^error: (invalid argument|unknown value|error while handling argument)/im, 'bad-arguments'],
  [/couldn't bind|exiting due to HTTP server error/i, 'address-taken'],
  [/GGML_ASSERT|GGML_ABORT|terminate called/i, 'assertion'],
  [/failed to load model|error loading model|invalid magic/i, 'bad-model'],
];

export function classifyCrash({ code, signal, lastLines, spawnError }: ChildEnd): CrashClass {
  if (spawnError !== undefined) return 'not-startable';
  const words = lastLines.join('\n');
  const sign = signs.find(([pattern]) => pattern.test(words));
  if (signal === 'SIGKILL') return sign?.[1] === 'out-of-memory' ? 'out-of-memory' : 'killed';
  if (sign) return sign[1];
  if (signal === 'SIGABRT') return 'assertion';
  return code === 0 ? 'ended-without-error' : 'unknown';
}

/** The next start would end the same way. */
export function isHopeless(crash: CrashClass): boolean {
  return crash === 'not-startable' || crash === 'bad-arguments' || crash === 'bad-model';
}
