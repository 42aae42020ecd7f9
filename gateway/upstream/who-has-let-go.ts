/** A request that holds slots of the backend, as far as can be told from our side. Times are `performance.now()`. */
export interface Occupant {
  readonly weight: number;
  readonly sentAt: number;
  /** When the head of its answer came: a stream's comes when its slot has started. */
  begunAt: number | undefined;
  /** When its exchange was broken off. */
  brokenOffAt: number | undefined;
}

/** How long a request may be on its way before the backend's count holds it, and after it was broken off, still come. */
export const MAY_BE_ON_ITS_WAY = 100;

/**
 * Which of the broken-off ones the backend has let go of, when it held or owed `busy` slots at some time after `askedAt`.
 * Its count has no names: what those under way do not explain may be any of the broken-off ones, so that many stay. Nobody
 * is let go of too early; who is too young to be surely counted explains nothing and is not let go of.
 */
export function whoHasLetGo<O extends Occupant>(occupants: Iterable<O>, busy: number, askedAt: number): O[] {
  const counted = [...occupants].filter((occupant) => isSurelyCounted(occupant, askedAt));
  const brokenOff = counted.filter(({ brokenOffAt }) => brokenOffAt !== undefined);
  const underWay = counted.filter(({ brokenOffAt }) => brokenOffAt === undefined);
  const unexplained = Math.max(busy - weightOf(underWay), 0);
  let free = weightOf(brokenOff) - unexplained;
  return brokenOff.filter(({ weight }) => {
    const goes = weight <= free;
    if (goes) free -= weight;
    return goes;
  });
}

function isSurelyCounted({ begunAt, brokenOffAt, sentAt }: Occupant, askedAt: number): boolean {
  if (begunAt !== undefined) return begunAt <= askedAt;
  return (brokenOffAt ?? sentAt) + MAY_BE_ON_ITS_WAY <= askedAt;
}

const weightOf = (occupants: readonly Occupant[]) => occupants.reduce((sum, { weight }) => sum + weight, 0);
