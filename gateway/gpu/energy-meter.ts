import type { GpuSample } from '../../nvidia-smi-parser/gpu-sample.ts';

/** Over a longer gap nobody knows what was drawn: it is left out rather than made up. */
const longestGapMs = 15_000;

/** Energy from power: each reading counts from the one before, as their mean. Idle time draws, too, and counts. */
export class EnergyMeter {
  readonly #joules = new Map<number, number>();
  readonly #last = new Map<number, { readonly at: number; readonly watts: number }>();

  /** By GPU index, since the gateway was started; GPUs that do not tell their power are not in it. */
  get joules(): ReadonlyMap<number, number> {
    return this.#joules;
  }

  /** Of all GPUs; undefined where none tells its power. */
  get total(): number | undefined {
    if (this.#joules.size === 0) return undefined;
    return this.#joules.values().reduce((sum, joules) => sum + joules, 0);
  }

  add({ index, at, power: watts }: GpuSample): void {
    if (watts === undefined) return;
    const last = this.#last.get(index);
    this.#last.set(index, { at, watts });
    const known = this.#joules.get(index) ?? 0;
    const gapMs = last === undefined ? Number.POSITIVE_INFINITY : at - last.at;
    const drawn = last && gapMs <= longestGapMs ? (((last.watts + watts) / 2) * gapMs) / 1000 : 0;
    this.#joules.set(index, known + drawn);
  }
}
