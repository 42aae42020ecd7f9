const WEIGHT_OF_THE_NEWEST = 0.2;

/** A moving average of how long requests held their slots, ms; 1 s until the first is known. */
export function recentServiceTime() {
  let ms: number | undefined;
  return {
    get ms(): number {
      return ms ?? 1000;
    },
    add(sample: number): void {
      ms = ms === undefined ? sample : ms + WEIGHT_OF_THE_NEWEST * (sample - ms);
    },
  };
}
