import { constants } from 'node:os';
import type { ChildExit } from '../process/child.ts';

/** Why a child ended, as far as its last words and the way it went tell. */
export type CrashClass =
  | 'not-startable'
  | 'bad-arguments'
  | 'bad-model'
  | 'download-failed'
  | 'out-of-vram'
  | 'out-of-memory'
  | 'cuda-error'
  | 'assertion'
  | 'segfault'
  | 'illegal-instruction'
  | 'killed'
  | 'hung'
  | 'address-taken'
  | 'ended-without-error'
  | 'unknown';

/** What is known of an end beyond what the process itself has shown. */
export interface CrashCircumstances {
  /** It made no progress any more and was ended for it. */
  readonly hung?: boolean;
  /** The kernel has killed something for want of memory meanwhile. */
  readonly oomKilled?: boolean;
}

type Sign = readonly [pattern: RegExp, crash: CrashClass];

/** Signs in the last lines, the most telling first: want of memory is followed by all kinds of other complaints. */
const signs: readonly Sign[] = [
  [
    /^setpriv: failed to execute|[Ee]rror (?:while )?loading shared librar|symbol lookup error:/,
    'not-startable',
  ],
  [
    /version [`'][\w.]+' not found|cannot execute binary file|exec format error|no backends are loaded/i,
    'not-startable',
  ],
  [/(cuda|hip)Malloc failed|(CUDA|HIP|ROCm) error: out of memory|CUBLAS_STATUS_ALLOC_FAILED/i, 'out-of-vram'],
  [/allocate (CUDA|ROCm|Vulkan|SYCL|Metal)\d* buffer/i, 'out-of-vram'],
  [/ErrorOutOfDeviceMemory|Device memory allocation of size \d+ failed/i, 'out-of-vram'],
  [/(CUDA|HIP|ROCm) error|hipError|no kernel image is available|CUBLAS_STATUS_/i, 'cuda-error'],
  [/ErrorDeviceLost|DeviceLostError|ggml_vulkan: device lost/i, 'cuda-error'],
  [/std::bad_alloc|cannot allocate memory|insufficient memory|heap out of memory/i, 'out-of-memory'],
  [/failed to allocate (CPU )?buffer|unable to allocate CPU buffer/i, 'out-of-memory'],
  [/^error: |^error while handling argument/i, 'bad-arguments'],
  [/couldn't bind|exiting due to HTTP server error|EADDRINUSE/i, 'address-taken'],
  [/failed to download model|get_repo_commit: error/i, 'download-failed'],
  // A model that was to be downloaded, and of which there is not even a name.
  [/failed to load ([\w-]+ )*model, ''/i, 'download-failed'],
  [/GGML_ASSERT|GGML_ABORT|terminate called/i, 'assertion'],
  [/failed to load ([\w-]+ )*(model|adapter)|error loading model|invalid magic/i, 'bad-model'],
];

/** How Node begins to tell of an error that nobody caught. */
const uncaught = /^(Uncaught )?\w*Error\b/;

/** What a signal means where no sign explains it, and what may explain it. */
const bySignal: Readonly<Partial<Record<NodeJS.Signals, CrashClass>>> = {
  SIGABRT: 'assertion',
  SIGSEGV: 'segfault',
  SIGBUS: 'segfault',
  SIGILL: 'illegal-instruction',
};
const mayEndInSignal = new Set<CrashClass>(['out-of-vram', 'cuda-error', 'out-of-memory', 'assertion']);

export function classifyCrash(end: ChildExit, { hung, oomKilled }: CrashCircumstances = {}): CrashClass {
  if (end.spawnError !== undefined) return 'not-startable';
  if (hung) return 'hung';
  const signal = signalOf(end);
  if (signal === undefined)
    return signIn(end.lastLines)?.[1] ?? (end.code === 0 ? 'ended-without-error' : 'unknown');
  if (signal === 'SIGKILL' && oomKilled) return 'out-of-memory';
  const meaning = bySignal[signal] ?? 'killed';
  const sign = meaning === 'killed' ? undefined : signIn(end.lastLines)?.[1];
  return sign !== undefined && mayEndInSignal.has(sign) ? sign : meaning;
}

/** The line that says most about an end; what follows it may be a long list of the stack. */
export function decisiveLine({ lastLines }: ChildExit): string | undefined {
  const telling = signIn(lastLines)?.[0] ?? uncaught;
  return lastLines.find((line) => telling.test(line));
}

/** The sign of a crash in a line, by itself; undefined where there is none. */
export function findCrashSign(line: string): string | undefined {
  for (const [pattern] of signs) {
    const [sign] = pattern.exec(line) ?? [];
    if (sign !== undefined) return sign;
  }
  return undefined;
}

/** The next start would end the same way. */
export function isFatal(crash: CrashClass): boolean {
  return crash === 'not-startable' || crash === 'bad-arguments' || crash === 'bad-model';
}

function signIn(lines: readonly string[]): Sign | undefined {
  return signs.find(([pattern]) => lines.some((line) => pattern.test(line)));
}

/** A wrapper script tells the signal that ended its program by a code above 128. */
function signalOf({ code, signal }: ChildExit): NodeJS.Signals | undefined {
  if (signal !== null) return signal;
  const number = (code ?? 0) - 128;
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return names.find(([, value]) => value === number)?.[0];
}
