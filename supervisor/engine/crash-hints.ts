import type { CrashClass } from './crash-class.ts';

/** What an operator can do about a crash of llama-server: one sentence each. */
export const engineHints: Readonly<Record<CrashClass, string>> = {
  'not-startable':
    'llama-server cannot be started: check LLAMA_SERVER_BIN, that it is built for this machine, and that its libraries are installed (ldd)',
  'bad-arguments':
    'this llama-server does not accept an argument or its value: check EXTRA_ARGS, or use another build, because arguments differ between builds (--load-mode replaced --mmap, --no-mmap, --mlock and --direct-io)',
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
    'it exited as if it was asked to: check who may stop it, and EXTRA_ARGS for an argument that only prints',
  unknown: 'the cause is unknown: see its last lines',
};

const gatewayHints: Readonly<Partial<Record<CrashClass, string>>> = {
  'address-taken': 'its port is in use: change PORT, or stop the process that listens there',
  'out-of-memory': 'not enough memory in the machine or the container: add memory, or lower MAX_QUEUE_SIZE',
  killed: engineHints.killed,
  hung: 'it did not respond for HANG_TIMEOUT: check who may stop processes and the load of the machine, and report its last lines to llama-corral',
};

export function crashHint(who: 'llama-server' | 'gateway', crash: CrashClass): string {
  if (who === 'llama-server') return engineHints[crash];
  return gatewayHints[crash] ?? 'this is a bug: report its last lines to llama-corral';
}
