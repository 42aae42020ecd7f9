import { type Key, type Priority, priorities } from '../../keys/key.ts';
import type { LaneSettings } from './lane.ts';

const shares: Readonly<Record<Priority, number>> = { high: 4, normal: 2, low: 1 };

/** The priority that has this share. */
export function priorityForWeight(share: number): Priority {
  return priorities.find((priority) => shares[priority] === share) ?? 'normal';
}

/** Where nobody is asked for a key all share one lane: there is nothing to tell them apart by that could be trusted. */
const everybody: LaneSettings = { id: '', weight: shares.normal, maxConcurrent: Infinity };

/** The lane of a key, on the terms that the key has now. */
export function laneForKey(key: Key | undefined): LaneSettings {
  if (key === undefined) return everybody;
  return {
    id: key.id,
    weight: shares[key.priority],
    maxConcurrent: key.limits.concurrent || Infinity,
  };
}
