import { fetchBusySlots } from '../../gateway/upstream/slot-tracker.ts';
import type { Backend } from '../../health/backend.ts';

export interface EngineLook {
  /** Slots that the engine held or owed, by its own count. */
  readonly busy: number;
  /** The most that was leased while it was asked. */
  readonly leased: number;
}

export interface EngineLoad extends AsyncDisposable {
  readonly looks: readonly EngineLook[];
}

/** Asks the engine how busy it is, as often as it answers, and notes what the gateway has leased meanwhile. */
export function watchEngineLoad(backend: Backend, leased: () => number): EngineLoad {
  const looks: EngineLook[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const before = leased();
      const busy = await fetchBusySlots(backend);
      if (typeof busy === 'number') looks.push({ busy, leased: Math.max(before, leased()) });
    }
  })();
  return {
    looks,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await watching;
    },
  };
}
