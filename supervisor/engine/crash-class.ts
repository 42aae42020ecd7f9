import { constants } from 'node:os';
import type { ChildExit } from '../process/child.ts';

/** Why a child exited, as far as its last lines and the exit show. */
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

/** What is known about an exit beyond the process itself. */
export interface CrashCircumstances {
  /** It made no progress any more and was killed for that. */
  readonly hung?: boolean;
  /** The OOM killer has killed a process in the meantime. */
  readonly oomKilled?: boolean;
}

type Sign = readonly [pattern: RegExp, crash: CrashClass];

/** Patterns in the last lines, the most decisive first: lack of memory causes all kinds of other errors. */
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
  [/^error: |^error while handling argument|failed to create MTP context/i, 'bad-arguments'],
  [/couldn't bind|exiting due to HTTP server error|EADDRINUSE/i, 'address-taken'],
  [/failed to download model|get_repo_commit: error/i, 'download-failed'],
  // A model that was to be downloaded has no name yet.
  [/failed to load ([\w-]+ )*model, ''/i, 'download-failed'],
  [/GGML_ASSERT|GGML_ABORT|terminate called/i, 'assertion'],
  [/failed to load ([\w-]+ )*(model|adapter)|error loading model|invalid magic/i, 'bad-model'],
];

/** How Node reports an uncaught error. */
const uncaught = /^(Uncaught )?\w*Error\b/;

/** The meaning of a signal without a pattern, and the classes that may end in a signal. */
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
    return findSign(end.lastLines)?.[1] ?? (end.code === 0 ? 'ended-without-error' : 'unknown');
  if (signal === 'SIGKILL' && oomKilled) return 'out-of-memory';
  const meaning = bySignal[signal] ?? 'killed';
  const sign = meaning === 'killed' ? undefined : findSign(end.lastLines)?.[1];
  return sign !== undefined && mayEndInSignal.has(sign) ? sign : meaning;
}

/** The line that explains an exit best. A long stack trace may follow it. */
export function decisiveLine({ lastLines }: ChildExit): string | undefined {
  const pattern = findSign(lastLines)?.[0] ?? uncaught;
  return lastLines.find((line) => pattern.test(line));
}

/** The part of a line that indicates a crash; undefined if there is none. */
export function findCrashSign(line: string): string | undefined {
  for (const [pattern] of signs) {
    const [sign] = pattern.exec(line) ?? [];
    if (sign !== undefined) return sign;
  }
  return undefined;
}

/** The next start would fail the same way. */
export function isFatal(crash: CrashClass): boolean {
  return crash === 'not-startable' || crash === 'bad-arguments' || crash === 'bad-model';
}

/** It needs more memory than there is. */
export function isOutOfMemory(crash: CrashClass): boolean {
  return crash === 'out-of-vram' || crash === 'out-of-memory';
}

function findSign(lines: readonly string[]): Sign | undefined {
  return signs.find(([pattern]) => lines.some((line) => pattern.test(line)));
}

/** A wrapper script reports the signal that killed its program as a code above 128. */
function signalOf({ code, signal }: ChildExit): NodeJS.Signals | undefined {
  if (signal !== null) return signal;
  const number = (code ?? 0) - 128;
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return names.find(([, value]) => value === number)?.[0];
}

/** What an operator can do about a crash of llama-server: one sentence each. */
export const engineHints: Readonly<Record<CrashClass, string>> = {
  'not-startable':
    'llama-server cannot be started: check LLAMA_SERVER_BIN, that it is built for this machine, and that its libraries are installed (ldd)',
  'bad-arguments':
    'this llama-server does not accept an argument or its value: check EXTRA_ARGS and SPECULATE, or use another build, because arguments differ between builds (--load-mode replaced --mmap, --no-mmap, --mlock and --direct-io)',
  'bad-model':
    'the model file cannot be loaded: download it again if it is incomplete, or use a newer llama-server if its architecture is unknown',
  'download-failed':
    'the model could not be downloaded: check HF_REPO or MODEL_URL, HF_TOKEN for private repositories, and the network',
  'out-of-vram':
    'not enough free GPU memory: lower NGL, CTX or PARALLEL, use a smaller quantization, or stop other programs that use the GPU',
  'out-of-memory':
    'not enough memory in the machine or the container: add memory, lower CTX or PARALLEL, or use a smaller quantization',
  'cuda-error':
    'the GPU or its driver failed: look for Xid errors in dmesg, check nvidia-smi, and use a llama-server built for this GPU and driver',
  assertion: 'an internal check of llama-server failed: try another build, and report the lines to llama.cpp',
  segfault:
    'llama-server has a bug or the memory is faulty: try another build, and report the lines to llama.cpp',
  'illegal-instruction': 'this llama-server is built for another CPU: use a build for this one',
  killed: 'something sent it a signal: check who may do that, and look for out-of-memory kills in dmesg',
  hung: 'it made no progress for HANG_TIMEOUT: check the GPU, and raise HANG_TIMEOUT if one batch of a prompt can take that long',
  'address-taken':
    'its address is not available: change PORT_BACKEND, or, if that is not set, make sure that nothing cleans up TMPDIR',
  'ended-without-error':
    'it exited as if it had been asked to stop: check who may stop it, and EXTRA_ARGS for an argument that only prints',
  unknown: 'the cause is unknown: see its last lines',
};

/** With several models: the fields of `models.json` instead of the variables that they replace. */
const hintsForFields: Readonly<Partial<Record<CrashClass, (model: string) => string>>> = {
  'bad-arguments': (model) =>
    `this llama-server does not accept an argument or its value: check args and speculate of "${model}" in models.json, EXTRA_ARGS and SPECULATE, or use another build, because arguments differ between builds (--load-mode replaced --mmap, --no-mmap, --mlock and --direct-io)`,
  'download-failed': (model) =>
    `the model could not be downloaded: check hf or url of "${model}" in models.json, HF_TOKEN for private repositories, and the network`,
  'out-of-vram': (model) =>
    `not enough free GPU memory: lower ngl, ctx or parallel of "${model}" in models.json, use a smaller quantization, or stop other programs that use the GPU`,
  'out-of-memory': (model) =>
    `not enough memory in the machine or the container: add memory, lower ctx or parallel of "${model}" in models.json, or use a smaller quantization`,
  'ended-without-error': (model) =>
    `it exited as if it had been asked to stop: check who may stop it, and args of "${model}" in models.json and EXTRA_ARGS for an argument that only prints`,
};

const gatewayHints: Readonly<Partial<Record<CrashClass, string>>> = {
  'address-taken': 'its port is in use: change PORT, or stop the process that listens there',
  'out-of-memory': 'not enough memory in the machine or the container: add memory, or lower MAX_QUEUE_SIZE',
  killed: engineHints.killed,
  hung: 'it did not respond for HANG_TIMEOUT: check who may stop processes and the load of the machine, and report its last lines to llama-corral',
};

export interface ExplainedCrash {
  readonly who: 'llama-server' | 'gateway';
  readonly crash: CrashClass;
  /** Its id in `models.json`; undefined if variables select the only model. */
  readonly model?: string | undefined;
}

export function crashHint({ who, crash, model }: ExplainedCrash): string {
  if (who === 'gateway') return gatewayHints[crash] ?? 'this is a bug: report its last lines to llama-corral';
  return (model !== undefined && hintsForFields[crash]?.(model)) || engineHints[crash];
}

export function isCrashClass(text: string): text is CrashClass {
  return Object.hasOwn(engineHints, text);
}
