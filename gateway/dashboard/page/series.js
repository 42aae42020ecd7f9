/** @import { StatsSample } from '../stats-sampler.ts' */

/**
 * For each sample, what the samples of the `seconds` up to it add up to. Idle seconds may be missing.
 * @param {readonly StatsSample[]} samples oldest first
 * @param {(sample: StatsSample) => number} pick
 * @param {number} seconds
 */
export function rollingSums(samples, pick, seconds) {
  let sum = 0;
  let oldest = 0;
  return samples.map((sample) => {
    sum += pick(sample);
    for (
      let first = samples[oldest];
      first && first.at <= sample.at - seconds * 1000;
      first = samples[++oldest]
    )
      sum -= pick(first);
    return sum;
  });
}

/**
 * For each sample, the mean per second over the `seconds` up to it: values of single seconds flicker.
 * @param {readonly StatsSample[]} samples
 * @param {(sample: StatsSample) => number} pick
 * @param {number} seconds
 */
export const rollingMeans = (samples, pick, seconds) =>
  rollingSums(samples, pick, seconds).map((sum) => sum / seconds);

/**
 * The intervals of an axis: 1, 2 and 5 times the powers of ten.
 * @param {number} smallest a power of ten
 */
export const roundIntervals = (smallest) =>
  Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * smallest * 10 ** power)).flat();

/** Intervals of an axis of durations, seconds: round numbers of milliseconds, seconds and minutes. */
export const durationIntervals = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
  ...[60, 120, 300, 600, 1200, 1800, 3600, 7200],
];
