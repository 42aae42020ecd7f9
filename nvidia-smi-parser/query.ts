/** The fields of the query. If a driver does not know the first name of a field, the next one is used. */
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

/** The fields in the order of the output's columns, each with nvidia-smi's name for it. */
export type Query = ReadonlyMap<QueryField, string>;

export const fullQuery: Query = new Map(
  Object.entries(names).map(([field, [name]]) => [field as QueryField, name]),
);

/** The query for a driver that does not know this name: with the next name of the field, or without the field. */
export function withoutField(query: Query, unknown: string): Query {
  return new Map(
    [...query].flatMap(([field, name]): [QueryField, string][] => {
      if (name !== unknown) return [[field, name]];
      const known: readonly string[] = names[field];
      const next = known[known.indexOf(name) + 1];
      return next === undefined ? [] : [[field, next]];
    }),
  );
}

/** Makes nvidia-smi print one line per GPU in every interval until it is killed. */
export function buildArguments(query: Query, intervalMs: number): string[] {
  return [
    `--query-gpu=${[...query.values()].join(',')}`,
    '--format=csv,noheader,nounits',
    `--loop-ms=${intervalMs}`,
  ];
}
