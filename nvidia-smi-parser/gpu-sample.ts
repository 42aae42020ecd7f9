import type { Slowdown } from './slowdowns.ts';

/**
 * What one GPU says of itself at one moment, in plain units: ratios from 0 to 1, bytes, °C, watts, hertz. What the card,
 * the driver or the rights of the process do not allow to know is undefined; only the index is always there.
 */
export interface GpuSample {
  /** When it was read, `performance.now()` ms. */
  readonly at: number;
  readonly index: number;
  readonly uuid: string | undefined;
  readonly name: string | undefined;
  readonly driver: string | undefined;
  /** The part of the time in which a kernel ran. Unknown with MIG. */
  readonly utilization: number | undefined;
  /** The part of the time in which its memory was read or written. */
  readonly memoryActivity: number | undefined;
  /** With MIG of the whole card. */
  readonly memoryUsed: number | undefined;
  readonly memoryTotal: number | undefined;
  readonly temperature: number | undefined;
  readonly memoryTemperature: number | undefined;
  /** Averaged by the driver over about a second. */
  readonly power: number | undefined;
  readonly powerLimit: number | undefined;
  readonly smClock: number | undefined;
  readonly memoryClock: number | undefined;
  /** Of its full speed. */
  readonly fan: number | undefined;
  /** Why the clocks are lower than they could be; empty where nothing holds them down. */
  readonly slowdowns: readonly Slowdown[] | undefined;
  /** Since the driver was loaded. */
  readonly eccCorrected: number | undefined;
  readonly eccUncorrected: number | undefined;
  /** Whether it is cut into instances. */
  readonly mig: boolean | undefined;
  /** What the driver asks for after a fault, such as `Reset` or `Reboot`; `None` is well. */
  readonly recoveryAction: string | undefined;
}
