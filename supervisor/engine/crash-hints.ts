import type { CrashClass } from './crash-class.ts';

/** What an operator can do about a crash of llama-server: one sentence each. */
export const engineHints: Readonly<Record<CrashClass, string>> = {
  'not-startable':
    'llama-server cannot be started: check LLAMA_SERVER_BIN, that it is made for this machine, and that its libraries are there (ldd)',
  'bad-arguments':
    'this llama-server does not take an argument or its value: look at EXTRA_ARGS, or use another build, as arguments come and go (--load-mode has replaced --mmap, --no-mmap, --mlock and --direct-io)',
  'bad-model':
    'the model file cannot be used: fetch it again if it is not whole, or use a newer llama-server if its architecture is unknown',
  'download-failed':
    'the model could not be downloaded: check HF_REPO or MODEL_URL, HF_TOKEN where it is private, and the network',
  'out-of-vram':
    'the GPU has too little free memory: lower NGL, CTX or PARALLEL, take a smaller quantization, or end what else uses the GPU',
  'out-of-memory':
    'the machine or the container has too little memory: give it more, lower CTX or PARALLEL, or take a smaller quantization',
  'cuda-error':
    'the GPU or its driver failed: look for Xid errors in dmesg and at nvidia-smi, and take a llama-server built for this GPU and driver',
  assertion:
    'llama-server found itself in a state it does not allow: try another build, and report the lines to llama.cpp',
  segfault:
    'llama-server has a bug or the memory a fault: try another build, and report the lines to llama.cpp',
  'illegal-instruction': 'this llama-server is built for another CPU: take a build for this one',
  killed: 'somebody or something sent it a signal: look at who may, and at dmesg for want of memory',
  hung: 'it made no progress for HANG_TIMEOUT: look at the GPU, and raise HANG_TIMEOUT if one batch of a prompt may take so long',
  'address-taken':
    'its address cannot be had: change PORT_BACKEND, or, without it, see that nothing clears TMPDIR away',
  'ended-without-error':
    'it ended as if it was asked to: look at who may stop it, and at EXTRA_ARGS for an argument that only prints',
  unknown: 'its last lines are all there is to go by',
};

const gatewayCures: Readonly<Partial<Record<CrashClass, string>>> = {
  'address-taken': 'its port is in use: change PORT, or end what else listens there',
  'out-of-memory':
    'the machine or the container has too little memory: give it more, or lower MAX_QUEUE_SIZE',
  killed: engineHints.killed,
  hung: 'it answered nobody for HANG_TIMEOUT: look at who may stop processes and at the load of the machine, and report its last lines to llama-corral',
};

export function crashHint(who: 'llama-server' | 'gateway', crash: CrashClass): string {
  if (who === 'llama-server') return engineHints[crash];
  return gatewayCures[crash] ?? 'this should not happen: report its last lines to llama-corral';
}
