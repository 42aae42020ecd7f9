import type { PlacedModel } from './placement.ts';
import type { ServedModel } from './served-model.ts';

/** A model as the placement sees it, at `now` of a monotonic clock. */
export function placedModel(model: ServedModel, need: number, now: number): PlacedModel {
  const { id, usage, switchedAt, loadedAt, isRemoved } = model;
  return {
    ...{ id, need, switchedAt, loadedAt },
    state: stateOf(model),
    pin: model.pin && !isRemoved,
    ttl: model.record?.ttl,
    leases: usage.leases,
    wantedSince: isRemoved ? undefined : usage.wantedSince,
    idleSince: usage.idleSince,
    hasLines: usage.hasLines,
    loadMs: loadTimeOf(model),
    recentUse: usage.recentUse(now),
  };
}

function stateOf(model: ServedModel): PlacedModel['state'] {
  if (model.isUnloading) return mayResume(model) ? 'draining' : 'unloading';
  // It drains or loads: it is not to be unloaded now.
  if (model.engines.some(({ isReplacing }) => isReplacing)) return 'loading';
  const { status } = model;
  // A process that has failed takes memory until it has been stopped.
  if (status === 'failed' && model.isResident) return 'unloading';
  return status === 'sleeping' ? 'loaded' : status;
}

/** One that has a change to take up would only be unloaded again. */
const mayResume = ({ engines, isOutdated }: ServedModel) =>
  !isOutdated && !engines.some(({ isStopping }) => isStopping);

/** How long its slowest engine took at the last load; 0 before. */
function loadTimeOf({ engines }: ServedModel): number {
  const times = engines.flatMap(({ bootTimes: { loaded } }) => (typeof loaded === 'number' ? [loaded] : []));
  return Math.max(0, ...times);
}
