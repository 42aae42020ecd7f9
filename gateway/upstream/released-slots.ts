/** A request that holds slots of the backend, as far as can be told from our side. Times are `performance.now()`. */
export interface SlotHolder {
  readonly weight: number;
  readonly sentAt: number;
  /** When the head of its answer came: a stream's comes when its slot has started. */
  startedAt: number | undefined;
  /** When its exchange was broken off. */
  abortedAt: number | undefined;
}

/** How long a request may be on its way before the backend's count holds it, and after it was broken off, still come. */
export const MAX_TRANSIT_MS = 100;

/**
 * Which of the broken-off ones the backend has let go of, when it held or owed `busy` slots at some time after `askedAt`.
 * Its count has no names: what those under way do not explain may be any of the broken-off ones, so that many stay. Nobody
 * is let go of too early; who is too young to be surely counted explains nothing and is not let go of.
 */
export function releasedSlots<O extends SlotHolder>(
  occupants: Iterable<O>,
  busy: number,
  askedAt: number,
): O[] {
  const counted = [...occupants].filter((occupant) => isSurelyCounted(occupant, askedAt));
  const brokenOff = counted.filter(({ abortedAt }) => abortedAt !== undefined);
  const underWay = counted.filter(({ abortedAt }) => abortedAt === undefined);
  const unexplained = Math.max(busy - weightOf(underWay), 0);
  let free = weightOf(brokenOff) - unexplained;
  return brokenOff.filter(({ weight }) => {
    const goes = weight <= free;
    if (goes) free -= weight;
    return goes;
  });
}

function isSurelyCounted({ startedAt, abortedAt, sentAt }: SlotHolder, askedAt: number): boolean {
  if (startedAt !== undefined) return startedAt <= askedAt;
  return (abortedAt ?? sentAt) + MAX_TRANSIT_MS <= askedAt;
}

const weightOf = (occupants: readonly SlotHolder[]) => occupants.reduce((sum, { weight }) => sum + weight, 0);
