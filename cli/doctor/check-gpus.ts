import { gpuTroubleMessages } from '../../gateway/gpu/gpus.ts';
import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';
import type { GpuTrouble } from '../../nvidia-smi-parser/gpu-trouble.ts';
import type { Finding } from './finding.ts';
import { formatBytes } from './sizes.ts';

/** What nvidia-smi has shown. */
export interface GpuSnapshot {
  readonly samples: readonly GpuSample[];
  readonly trouble: GpuTrouble | undefined;
}

export function checkGpus({ samples, trouble }: GpuSnapshot): Finding[] {
  const seen = samples.map(judgeGpu);
  if (trouble === undefined || (trouble === 'ended' && samples.length > 0)) return seen;
  const isMissing = trouble === 'absent' || trouble === 'no-devices';
  const words = isMissing ? 'no NVIDIA GPU found: llama-server runs on the CPU' : gpuTroubleMessages[trouble];
  return [...seen, { about: 'GPU', verdict: isMissing ? 'warning' : 'bad', words }];
}

function judgeGpu(sample: GpuSample): Finding {
  const { index, name = 'a GPU', driver, memoryTotal, memoryUsed, recoveryAction, eccUncorrected } = sample;
  const about = `GPU ${index}`;
  const memory =
    memoryTotal === undefined
      ? 'memory unknown'
      : `${formatBytes(memoryTotal - (memoryUsed ?? 0))} of ${formatBytes(memoryTotal)} free`;
  const words = `${name}, driver ${driver ?? 'unknown'}, ${memory}`;
  if (recoveryAction !== undefined && recoveryAction !== 'None') {
    return { about, verdict: 'bad', words, cure: `the driver requests: ${recoveryAction}` };
  }
  if (eccUncorrected !== undefined && eccUncorrected > 0) {
    const cure = `its memory had ${eccUncorrected} uncorrectable errors: reset or replace the GPU`;
    return { about, verdict: 'warning', words, cure };
  }
  return { about, verdict: 'good', words };
}

/** Bytes that are free on all of them; undefined where that is not known. */
export function freeGpuBytes(samples: readonly GpuSample[]): number | undefined {
  const known = samples.flatMap(({ memoryTotal, memoryUsed = 0 }) =>
    memoryTotal === undefined ? [] : [memoryTotal - memoryUsed],
  );
  return known.length > 0 ? known.reduce((sum, bytes) => sum + bytes, 0) : undefined;
}
