import type { Log } from '../../log/create-log.ts';
import { GpuMonitor } from '../../nvidia-smi-parser/gpu-monitor.ts';
import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';
import type { GpuTrouble } from '../../nvidia-smi-parser/gpu-trouble.ts';
import type { GpuConfig } from '../config.ts';

/** The GPUs of this machine, if there are any and they can be monitored. */
export interface Gpus extends Disposable {
  /** The latest of each GPU, by index. */
  readonly samples: readonly GpuSample[];
  readonly energy: EnergyMeter;
  /** Why samples are missing. */
  readonly trouble: GpuTrouble | undefined;
  /** The same as a message for the operator. */
  readonly troubleMessage: string | undefined;
}

/** Monitors the GPUs, and logs when their samples stop and when they resume. */
export function monitorGpus({ program, intervalMs }: GpuConfig, log: Log): Gpus {
  const energy = new EnergyMeter();
  if (program === undefined) {
    return {
      ...{ samples: [], energy, trouble: undefined, troubleMessage: undefined },
      [Symbol.dispose]: () => {},
    };
  }
  let trouble: GpuTrouble | undefined;
  const monitor = new GpuMonitor({
    program,
    intervalMs,
    onSample: (sample) => energy.add(sample),
    onTrouble(next) {
      trouble = next;
      if (next === undefined) log.info('all GPUs report metrics again');
      else log[next === 'absent' ? 'info' : 'warn'](gpuTroubleMessages[next]);
    },
  });
  return {
    get samples() {
      return monitor.samples;
    },
    energy,
    get trouble() {
      return trouble;
    },
    get troubleMessage() {
      return trouble && gpuTroubleMessages[trouble];
    },
    [Symbol.dispose]: () => monitor.close(),
  };
}

/** The reason, and what the operator can do. */
export const gpuTroubleMessages: Readonly<Record<GpuTrouble, string>> = {
  absent:
    'nvidia-smi not found: no GPU metrics (set NVIDIA_SMI if it is elsewhere, or GPU_METRICS=off to hide this message)',
  'no-driver':
    'nvidia-smi cannot find the NVIDIA driver: no GPU metrics until it can (in a container: was it started with GPU access?)',
  'driver-mismatch':
    'the NVIDIA driver and its libraries have different versions: no GPU metrics until the machine is rebooted',
  'no-devices': 'nvidia-smi finds no GPU',
  'gpu-lost': 'a GPU no longer responds: reset the GPU or reboot the machine',
  'no-permission': 'nvidia-smi has no permission to read the GPUs: no GPU metrics',
  hung: 'nvidia-smi stopped responding and is being restarted: the driver may be hung',
  ended: 'nvidia-smi exited and is being restarted',
};

/** The energy in a longer gap between two samples is unknown and not counted. */
const maxGapMs = 15_000;

/** Integrates power over time: each interval counts with the mean of its two samples. Idle power counts too. */
export class EnergyMeter {
  readonly #joules = new Map<number, number>();
  readonly #last = new Map<number, { readonly at: number; readonly watts: number }>();

  /** By GPU index, since the gateway started; without GPUs that do not report their power. */
  get joules(): ReadonlyMap<number, number> {
    return this.#joules;
  }

  /** The energy of all GPUs together; undefined if none reports its power. */
  get total(): number | undefined {
    if (this.#joules.size === 0) return undefined;
    return this.#joules.values().reduce((sum, joules) => sum + joules, 0);
  }

  add({ index, at, power: watts }: GpuSample): void {
    if (watts === undefined) return;
    const last = this.#last.get(index);
    this.#last.set(index, { at, watts });
    const before = this.#joules.get(index) ?? 0;
    const gapMs = last === undefined ? Number.POSITIVE_INFINITY : at - last.at;
    const added = last && gapMs <= maxGapMs ? (((last.watts + watts) / 2) * gapMs) / 1000 : 0;
    this.#joules.set(index, before + added);
  }
}
