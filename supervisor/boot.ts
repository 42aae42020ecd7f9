export const bootPhases = ['gateway up', 'process up', 'bound', 'loaded', 'first token'] as const;
export type BootPhase = (typeof bootPhases)[number];

/** When each phase of the boot was reached, in milliseconds since its begin. */
export type BootTimes = Readonly<Partial<Record<BootPhase, number | 'not applicable'>>>;

export interface Boot {
  readonly times: BootTimes;
  /** The last phase of the engine's that was reached. */
  readonly phase: BootPhase | 'begin';
  /** Only the first time counts: a restart is no boot. */
  markReached(phase: BootPhase, applies?: boolean): void;
}

export function startBoot(now: () => number = () => performance.now()): Boot {
  const begin = now();
  const times: Partial<Record<BootPhase, number | 'not applicable'>> = {};
  return {
    times,
    get phase() {
      return bootPhases.findLast((phase) => phase !== 'gateway up' && phase in times) ?? 'begin';
    },
    markReached(phase, applies = true) {
      times[phase] ??= applies ? Math.round(now() - begin) : 'not applicable';
    },
  };
}
