import type { Backend } from '../../health/backend.ts';
import type { Log } from '../../log/create-log.ts';
import { fetchBusySlots } from './busy-slots.ts';
import { SlotTracker } from './slot-tracker.ts';

export function createSlotTracker(backend: Backend, log: Log): SlotTracker {
  return new SlotTracker({
    fetchBusySlots: () => fetchBusySlots(backend),
    onTimeout: (heldMs) =>
      log.debug({ heldMs: Math.round(heldMs) }, 'the backend is still at work on what was broken off'),
  });
}
