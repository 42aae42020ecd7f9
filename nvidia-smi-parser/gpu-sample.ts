/**
 * The state of one GPU at one moment, in base units: ratios from 0 to 1, bytes, °C, watts, hertz. A value that the card,
 * the driver or the permissions of the process do not provide is undefined; only the index is always present.
 */
export interface GpuSample {
  /** When it was read, `performance.now()` ms. */
  readonly at: number;
  readonly index: number;
  readonly uuid: string | undefined;
  readonly name: string | undefined;
  readonly driver: string | undefined;
  /** Fraction of time in which a kernel ran. Unknown with MIG. */
  readonly utilization: number | undefined;
  /** Fraction of time in which GPU memory was read or written. */
  readonly memoryActivity: number | undefined;
  /** With MIG, of the whole card. */
  readonly memoryUsed: number | undefined;
  readonly memoryTotal: number | undefined;
  readonly temperature: number | undefined;
  readonly memoryTemperature: number | undefined;
  /** Averaged by the driver over about a second. */
  readonly power: number | undefined;
  readonly powerLimit: number | undefined;
  readonly smClock: number | undefined;
  readonly memoryClock: number | undefined;
  /** Relative to the nominal maximum speed. */
  readonly fan: number | undefined;
  /** Why the clocks are lower than they could be; empty if nothing limits them. */
  readonly slowdowns: readonly Slowdown[] | undefined;
  /** Since the driver was loaded. */
  readonly eccCorrected: number | undefined;
  readonly eccUncorrected: number | undefined;
  /** Whether the GPU is partitioned into instances. */
  readonly mig: boolean | undefined;
  /** What the driver requires after a fault, such as `Reset` or `Reboot`; `None` if the GPU is healthy. */
  readonly recoveryAction: string | undefined;
}

/** The bits of NVML's clocks event reasons, which nvidia-smi prints as a hexadecimal mask. */
const slowdownBits = {
  idle: 0x1,
  application_clocks: 0x2,
  software_power_cap: 0x4,
  hardware_slowdown: 0x8,
  sync_boost: 0x10,
  software_thermal: 0x20,
  hardware_thermal: 0x40,
  hardware_power_brake: 0x80,
  display_clocks: 0x100,
} as const;

export type Slowdown = keyof typeof slowdownBits;

export const slowdowns = Object.keys(slowdownBits) as readonly Slowdown[];

/** Undefined for text that is not a mask. Bits added by newer drivers are ignored. */
export function parseSlowdowns(mask: string): readonly Slowdown[] | undefined {
  if (!/^0x[\da-f]{1,16}$/i.test(mask)) return undefined;
  const value = BigInt(mask);
  return slowdowns.filter((slowdown) => (value & BigInt(slowdownBits[slowdown])) !== 0n);
}
