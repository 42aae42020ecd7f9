/** An engine of a model, as far as the choice between several depends on it. */
export interface Candidate {
  readonly isOpen: boolean;
  /** Slots that are in use, or waited for, without those of batches. */
  readonly load: number;
  /** Slots that lines of batches could get now. */
  readonly idleSlots: number;
  readonly scheduler: {
    readonly capacity: number;
    readonly granted: number;
    readonly batches: { readonly leased: number };
  };
}

/** How much busier than the mean an engine may be and still get the conversations that it has in its cache. */
const MAX_IMBALANCE = 1.25;

/**
 * The engine that is to serve a request: `home`, which has the conversation in its cache, unless it is too busy (consistent
 * hashing with bounded loads, after Mirrokni, Thorup and Zadimoghaddam, 2018) or another one has a free slot now; else the one
 * with most free slots. Engines that serve now come first. Undefined if there are none.
 */
export function pickEngine<E extends Candidate>(engines: readonly E[], home: E | undefined): E | undefined {
  const open = engines.filter(({ isOpen }) => isOpen);
  const candidates = open.length > 0 ? open : engines;
  const [freest] = candidates.toSorted(byFreeSlots);
  if (home === undefined || freest === undefined || !candidates.includes(home)) return freest;
  const wouldWait = freeSlots(home) <= 0 && freeSlots(freest) > 0;
  return wouldWait || isTooBusy(home, candidates) ? freest : home;
}

const freeSlots = ({ scheduler, load }: Candidate) => scheduler.capacity - load;

function isTooBusy({ load }: Candidate, engines: readonly Candidate[]): boolean {
  const total = engines.reduce((sum, engine) => sum + engine.load, 0);
  return load + 1 > Math.ceil((MAX_IMBALANCE * (total + 1)) / engines.length);
}

/**
 * One with a free slot before one where a line of a batch has to give way. Of several idle engines, the one that has served
 * least: so they share the conversations.
 */
function byFreeSlots(a: Candidate, b: Candidate): number {
  const hasToWait = (engine: Candidate) => Number(freeSlots(engine) <= engine.scheduler.batches.leased);
  return (
    hasToWait(a) - hasToWait(b) || freeSlots(b) - freeSlots(a) || a.scheduler.granted - b.scheduler.granted
  );
}

/** The engine for a line of a batch: the one with most slots that nobody else wants. */
export function pickIdleEngine<E extends Candidate>(engines: readonly E[]): E | undefined {
  const open = engines.filter(({ isOpen }) => isOpen);
  const candidates = open.length > 0 ? open : engines;
  const [idlest] = candidates.toSorted(
    (a, b) => b.idleSlots - a.idleSlots || a.scheduler.granted - b.scheduler.granted,
  );
  return idlest;
}
