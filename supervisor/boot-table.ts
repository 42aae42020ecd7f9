import { type BootTimes, bootPhases } from './boot.ts';

/** The boot in one table for people: when each phase was reached, and how long the engine's took. */
export function formatBootTable(times: BootTimes): string {
  let before = 0;
  const rows = bootPhases.map((phase) => {
    const at = times[phase];
    if (typeof at !== 'number') return row(phase, at ?? 'not reached', '');
    const took = phase === 'gateway up' ? '' : seconds(at - before);
    if (phase !== 'gateway up') before = at;
    return row(phase, seconds(at), took);
  });
  return [row('phase', 'after', 'took'), ...rows].join('\n');
}

const row = (phase: string, at: string, took: string) =>
  `  ${phase.padEnd(13)}${at.padStart(9)}${took.padStart(10)}`.trimEnd();

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
