import { isDeepStrictEqual } from 'node:util';
import type { ModelRecord } from '../models/registry.ts';

/** The fields that an engine is started with. All others apply without a restart. */
const engineFields = [
  'source',
  'kind',
  'ctx',
  'parallel',
  'ngl',
  'args',
  'mmproj',
  'draft',
  'speculate',
  'adapters',
  'devices',
] as const satisfies readonly (keyof ModelRecord)[];

/** What a change of a model's record means for its engines. */
export type RecordChange =
  /** Nothing of it concerns them. */
  | 'none'
  /** They have to run with other arguments. */
  | 'restart'
  /** There are others than before. */
  | 'rebuild';

export function recordChange(before: ModelRecord, after: ModelRecord): RecordChange {
  const isElsewhere = (record: ModelRecord) => record.source.kind === 'backends';
  if (before.replicas !== after.replicas || isElsewhere(before) !== isElsewhere(after)) return 'rebuild';
  if (isElsewhere(after)) return 'none';
  return engineFields.every((name) => isDeepStrictEqual(before[name], after[name])) ? 'none' : 'restart';
}
