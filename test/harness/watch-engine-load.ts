import { fetchBusySlots } from '../../gateway/upstream/slot-tracker.ts';
import type { Backend } from '../../health/backend.ts';

export interface LoadSample {
  /** Busy slots and deferred requests, as reported by the engine. */
  readonly busy: number;
  /** The maximum number of leases during the request. */
  readonly leased: number;
}

export interface EngineLoad extends AsyncDisposable {
  readonly samples: readonly LoadSample[];
}

/** Requests the load of the engine in a loop and records the gateway's leases meanwhile. */
export function watchEngineLoad(backend: Backend, leased: () => number): EngineLoad {
  const samples: LoadSample[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const before = leased();
      const busy = await fetchBusySlots(backend);
      if (typeof busy === 'number') samples.push({ busy, leased: Math.max(before, leased()) });
    }
  })();
  return {
    samples,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await watching;
    },
  };
}
