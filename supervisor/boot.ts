const bootPhases = ['gateway up', 'process up', 'bound', 'loaded', 'first token'] as const;
export type BootPhase = (typeof bootPhases)[number];

/** When each phase of the boot was reached, in milliseconds since the start. */
export type BootTimes = Readonly<Partial<Record<BootPhase, number | 'not applicable'>>>;

export interface Boot {
  readonly times: BootTimes;
  /** The last phase that the engine has reached. */
  readonly phase: BootPhase | 'initial';
  /** Only the first time counts: a restart is not a boot. */
  markReached(phase: BootPhase, applies?: boolean): void;
}

export function startBoot(now: () => number = () => performance.now()): Boot {
  const startedAt = now();
  const times: Partial<Record<BootPhase, number | 'not applicable'>> = {};
  return {
    times,
    get phase() {
      return bootPhases.findLast((phase) => phase !== 'gateway up' && phase in times) ?? 'initial';
    },
    markReached(phase, applies = true) {
      times[phase] ??= applies ? Math.round(now() - startedAt) : 'not applicable';
    },
  };
}

/** Marks each phase of the engines that all of these have reached. Without engines, none applies. */
export function markReachedByAll(boot: Boot, engines: readonly BootTimes[]): void {
  for (const phase of bootPhases) {
    if (phase !== 'gateway up' && engines.every((times) => phase in times))
      boot.markReached(
        phase,
        engines.some((times) => typeof times[phase] === 'number'),
      );
  }
}

/** The boot as a table for people: when each phase was reached, and how long each phase of the engine took. */
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
