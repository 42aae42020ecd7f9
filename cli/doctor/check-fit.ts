import type { Finding } from './finding.ts';
import { formatBytes } from './sizes.ts';

/** Sizes in bytes. */
export interface MemorySizes {
  /** Of all model files together. */
  readonly model: number;
  /** Free on all GPUs together; undefined where none is seen. */
  readonly gpu: number | undefined;
  /** What this machine or container has, not what is free of it. */
  readonly memory: number;
}

/** Whether the model can be loaded: its layers are spread over GPU and memory, and each request needs room besides. */
export function checkFit({ model, gpu, memory }: MemorySizes): Finding {
  const about = 'memory for the model';
  const places = gpu === undefined ? formatBytes(memory) : `${formatBytes(gpu)} free on GPUs`;
  if (model > memory + (gpu ?? 0)) {
    return {
      ...{ about, verdict: 'bad', words: `${formatBytes(model)} does not fit into ${places}` },
      cure: 'use a smaller quantization or a machine with more memory',
    };
  }
  if (gpu !== undefined && model > gpu) {
    return {
      ...{ about, verdict: 'warning', words: `${formatBytes(model)} does not fit into ${places}` },
      cure: 'the rest runs on the CPU, which is slow: use a smaller quantization or a larger GPU',
    };
  }
  return { about, verdict: 'good', words: `${formatBytes(model)} fits into ${places}` };
}
