import type { Finding } from './finding.ts';
import { showBytes } from './sizes.ts';

/** Sizes in bytes. */
export interface Room {
  /** Of all model files together. */
  readonly model: number;
  /** Free on all GPUs together; undefined where none is seen. */
  readonly gpu: number | undefined;
  /** What this machine or container has, not what is free of it. */
  readonly memory: number;
}

/** Whether the model can be loaded: its layers are spread over GPU and memory, and each request needs room besides. */
export function judgeFit({ model, gpu, memory }: Room): Finding {
  const about = 'room for the model';
  const places = gpu === undefined ? showBytes(memory) : `${showBytes(gpu)} free on GPUs`;
  if (model > memory + (gpu ?? 0)) {
    return {
      ...{ about, verdict: 'bad', words: `${showBytes(model)} do not fit into ${places}` },
      cure: 'take a smaller quantization, or a machine with more memory',
    };
  }
  if (gpu !== undefined && model > gpu) {
    return {
      ...{ about, verdict: 'warning', words: `${showBytes(model)} do not fit into ${places}` },
      cure: 'what does not fit is computed on the CPU, slowly: take a smaller quantization or a larger GPU',
    };
  }
  return { about, verdict: 'good', words: `${showBytes(model)} fit into ${places}` };
}
