/** A request that holds slots of the backend, as far as the gateway can tell. Times are `performance.now()`. */
export interface SlotHolder {
  readonly slots: number;
  readonly sentAt: number;
  /** When the head of its response came. That of a stream comes when its slot has started. */
  startedAt: number | undefined;
  /** When its exchange was aborted. */
  abortedAt: number | undefined;
}

/** How long a request may be in transit before the backend counts it, and may still arrive after it was aborted. */
export const MAX_TRANSIT_MS = 100;

/**
 * Which aborted requests the backend has released, if it was working on `busy` slots at some time after `askedAt`. That
 * number says nothing about which requests: slots that the running ones do not explain may belong to any of the aborted
 * ones, so that many stay taken. A request too young to be surely counted explains nothing and is not released. No
 * slot is released too early.
 */
export function releasedSlots<H extends SlotHolder>(
  holders: Iterable<H>,
  busy: number,
  askedAt: number,
): H[] {
  const counted = [...holders].filter((holder) => isSurelyCounted(holder, askedAt));
  const aborted = counted.filter(({ abortedAt }) => abortedAt !== undefined);
  const running = counted.filter(({ abortedAt }) => abortedAt === undefined);
  const unexplained = Math.max(busy - sumSlots(running), 0);
  let free = sumSlots(aborted) - unexplained;
  return aborted.filter(({ slots }) => {
    const isReleased = slots <= free;
    if (isReleased) free -= slots;
    return isReleased;
  });
}

function isSurelyCounted({ startedAt, abortedAt, sentAt }: SlotHolder, askedAt: number): boolean {
  if (startedAt !== undefined) return startedAt <= askedAt;
  return (abortedAt ?? sentAt) + MAX_TRANSIT_MS <= askedAt;
}

const sumSlots = (holders: readonly SlotHolder[]) => holders.reduce((sum, { slots }) => sum + slots, 0);
