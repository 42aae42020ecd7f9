import type { GpuTrouble } from '../../nvidia-smi-parser/gpu-trouble.ts';

/** What an operator is told, and what can be done. */
export const gpuTroubleMessages: Readonly<Record<GpuTrouble, string>> = {
  absent:
    'there is no nvidia-smi: no GPU is watched (GPU_METRICS=off spares this line, NVIDIA_SMI names another place)',
  'no-driver':
    'nvidia-smi finds no driver: no GPU is watched until it does (in a container: is it started with GPU access?)',
  'driver-mismatch':
    'the NVIDIA driver and its libraries are of different versions: no GPU is watched until the machine is started again',
  'no-devices': 'nvidia-smi finds no GPU',
  'gpu-lost': 'a GPU does not answer any more: it needs a reset, or the machine a restart',
  'no-permission': 'nvidia-smi may not read the GPUs: no GPU is watched',
  hung: 'nvidia-smi says nothing any more, and is started again: the driver may hang',
  ended: 'nvidia-smi ended, and is started again',
};
