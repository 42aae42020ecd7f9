/** One who waits. Weight 0 needs no slot, only a backend that is there. */
export interface Waiter {
  readonly weight: number;
}

/** Slots and who waits for them, first come first served. Capacity 0: there is no backend to serve anyone. */
export interface Line<W extends Waiter> {
  readonly capacity: number;
  readonly leased: number;
  readonly waiting: readonly W[];
}

export type Entry = 'granted' | 'waits' | 'full';

export interface Step<W extends Waiter> {
  readonly line: Line<W>;
  readonly granted: readonly W[];
}

export function emptyLine<W extends Waiter>(): Line<W> {
  return { capacity: 0, leased: 0, waiting: [] };
}

/** Nobody overtakes: a newcomer is granted at once only where no one waits, or where it needs no slot. */
export function enter<W extends Waiter>(line: Line<W>, waiter: W, maxWaiting: number): [Entry, Line<W>] {
  const fits = waiter.weight === 0 ? line.capacity > 0 : line.waiting.length === 0 && hasRoom(line, waiter);
  if (fits) return ['granted', { ...line, leased: line.leased + claim(line, waiter) }];
  if (line.waiting.length >= maxWaiting) return ['full', line];
  return ['waits', { ...line, waiting: [...line.waiting, waiter] }];
}

export function leave<W extends Waiter>(line: Line<W>, waiter: W): Step<W> {
  return grant({ ...line, waiting: line.waiting.filter((other) => other !== waiter) });
}

export function giveBack<W extends Waiter>(line: Line<W>, slots: number): Step<W> {
  return grant({ ...line, leased: line.leased - slots });
}

export function resize<W extends Waiter>(line: Line<W>, capacity: number): Step<W> {
  return grant({ ...line, capacity });
}

/** What a request takes: never more than there is, or one with many choices would wait for ever. */
export function claim(line: Line<Waiter>, { weight }: Waiter): number {
  return Math.min(weight, line.capacity);
}

function hasRoom(line: Line<Waiter>, waiter: Waiter): boolean {
  return line.capacity > 0 && line.leased + claim(line, waiter) <= line.capacity;
}

function grant<W extends Waiter>(line: Line<W>): Step<W> {
  if (line.capacity === 0 || line.waiting.length === 0) return { line, granted: [] };
  const granted: W[] = [];
  const waiting: W[] = [];
  let { leased } = line;
  for (const waiter of line.waiting) {
    const inTurn = waiting.every((ahead) => ahead.weight === 0);
    if (waiter.weight === 0 || (inTurn && hasRoom({ ...line, leased }, waiter))) {
      granted.push(waiter);
      leased += claim(line, waiter);
    } else waiting.push(waiter);
  }
  return { line: { ...line, leased, waiting }, granted };
}
