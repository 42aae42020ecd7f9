/** From values to the length of an axis, and which values are written beside it. */
export interface Scale {
  readonly ticks: readonly number[];
  /** 0 at the beginning of the axis, 1 at its end. */
  place(value: number): number;
}

/** From 0 to a round number above the greatest. */
export function linearScale(most: number): Scale {
  const step = roundUp(Math.max(most, 1e-9) / 4);
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  const end = step * count;
  return {
    ticks: Array.from({ length: count + 1 }, (_, n) => n * step),
    place: (value) => value / end,
  };
}

/** From the power of ten below the least to the one above the greatest; all values above 0. */
export function logScale(least: number, most: number): Scale {
  const first = Math.floor(Math.log10(least) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(most) - 1e-9));
  return {
    ticks: Array.from({ length: last - first + 1 }, (_, n) => 10 ** (first + n)),
    place: (value) => (Math.log10(value) - first) / (last - first),
  };
}

/** Names at even distances; values are their numbers. */
export function namedScale(count: number): Scale {
  return {
    ticks: Array.from({ length: count }, (_, n) => n),
    place: (index) => (count === 1 ? 0.5 : 0.04 + (index / (count - 1)) * 0.92),
  };
}

/** 1, 2, 2.5 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 2.5, 5, 10].find((one) => one * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}
