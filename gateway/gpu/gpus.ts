import type { Log } from '../../log/create-log.ts';
import { GpuMonitor } from '../../nvidia-smi-parser/gpu-monitor.ts';
import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';
import type { GpuTrouble } from '../../nvidia-smi-parser/gpu-trouble.ts';
import type { GpuConfig } from '../config.ts';
import { EnergyMeter } from './energy-meter.ts';
import { gpuTroubleMessages } from './trouble-messages.ts';

/** The GPUs of this machine, as far as there are any and they can be watched. */
export interface Gpus extends Disposable {
  /** The latest of each, by index. */
  readonly samples: readonly GpuSample[];
  readonly energy: EnergyMeter;
  /** Why figures are missing. */
  readonly trouble: GpuTrouble | undefined;
}

/** Follows the GPUs, and tells the log when their figures stop and when they come again. */
export function watchGpus({ program, intervalMs }: GpuConfig, log: Log): Gpus {
  const energy = new EnergyMeter();
  if (program === undefined) {
    return { samples: [], energy, trouble: undefined, [Symbol.dispose]: () => {} };
  }
  let trouble: GpuTrouble | undefined;
  const watch = new GpuMonitor({
    program,
    intervalMs,
    onSample: (sample) => energy.add(sample),
    onTrouble(next) {
      trouble = next;
      if (next === undefined) log.info('all GPUs are watched again');
      else log[next === 'absent' ? 'info' : 'warn'](gpuTroubleMessages[next]);
    },
  });
  return {
    get samples() {
      return watch.samples;
    },
    energy,
    get trouble() {
      return trouble;
    },
    [Symbol.dispose]: () => watch.close(),
  };
}
