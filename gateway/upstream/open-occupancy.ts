import type { Backend } from '../../health/backend.ts';
import type { Log } from '../../log/create-log.ts';
import { askBusySlots } from './ask-busy-slots.ts';
import { Occupancy } from './occupancy.ts';

export function openOccupancy(backend: Backend, log: Log): Occupancy {
  return new Occupancy({
    askBusySlots: () => askBusySlots(backend),
    onImpatience: (heldMs) =>
      log.debug({ heldMs: Math.round(heldMs) }, 'the backend is still at work on what was broken off'),
  });
}
