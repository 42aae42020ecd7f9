/** What is asked of each GPU. Of several names for one thing the first is asked for, the next where it is unknown. */
const names = {
  index: ['index'],
  uuid: ['uuid'],
  name: ['name'],
  driver: ['driver_version', 'kmd_version'],
  utilization: ['utilization.gpu'],
  memoryActivity: ['utilization.memory'],
  memoryUsed: ['memory.used'],
  memoryTotal: ['memory.total'],
  temperature: ['temperature.gpu'],
  memoryTemperature: ['temperature.memory'],
  power: ['power.draw'],
  powerLimit: ['enforced.power.limit', 'power.limit'],
  smClock: ['clocks.sm', 'clocks.current.sm'],
  memoryClock: ['clocks.mem', 'clocks.current.memory'],
  fan: ['fan.speed'],
  // Renamed with driver 535.
  slowdowns: ['clocks_event_reasons.active', 'clocks_throttle_reasons.active'],
  eccCorrected: ['ecc.errors.corrected.volatile.total'],
  eccUncorrected: ['ecc.errors.uncorrected.volatile.total'],
  mig: ['mig.mode.current'],
  recoveryAction: ['gpu_recovery_action'],
} as const satisfies Record<string, readonly string[]>;

export type QueryField = keyof typeof names;

/** The questions in the order of the answer's columns, each with the name that it is asked by. */
export type Query = ReadonlyMap<QueryField, string>;

export const fullQuery: Query = new Map(
  Object.entries(names).map(([question, [name]]) => [question as QueryField, name]),
);

/** The query for a driver that does not know this name: asked by the next one, or left out. */
export function withoutField(query: Query, unknown: string): Query {
  return new Map(
    [...query].flatMap(([question, name]): [QueryField, string][] => {
      if (name !== unknown) return [[question, name]];
      const known: readonly string[] = names[question];
      const next = known[known.indexOf(name) + 1];
      return next === undefined ? [] : [[question, next]];
    }),
  );
}

/** nvidia-smi's arguments for a line of each GPU in every interval, until it is ended. */
export function buildArguments(query: Query, intervalMs: number): string[] {
  return [
    `--query-gpu=${[...query.values()].join(',')}`,
    '--format=csv,noheader,nounits',
    `--loop-ms=${intervalMs}`,
  ];
}
