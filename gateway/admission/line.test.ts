import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claim, emptyLine, enter, giveBack, type Line, leave, resize, type Waiter } from './line.ts';

const waiter = (weight: number): Waiter => ({ weight });

describe('line', () => {
  it('grants while there is room, then lets wait, then is full', () => {
    let line = resize(emptyLine(), 1).line;
    const entries = [1, 1, 1].map((weight) => {
      const [entry, next] = enter(line, waiter(weight), 1);
      line = next;
      return entry;
    });
    expect(entries).toEqual(['granted', 'waits', 'full']);
  });

  it('grants nothing while there is no backend, and in order once there is', () => {
    const [first, second, counting] = [waiter(1), waiter(1), waiter(0)];
    let line: Line<Waiter> = emptyLine();
    for (const one of [first, second, counting]) line = enter(line, one, 10)[1];
    expect(line.waiting).toHaveLength(3);
    expect(resize(line, 1).granted).toEqual([first, counting]);
  });

  it('lets nobody overtake a heavy request at the head', () => {
    let line = enter(resize(emptyLine(), 4).line, waiter(3), 10)[1];
    const heavy = waiter(4);
    const light = waiter(1);
    line = enter(line, heavy, 10)[1];
    line = enter(line, light, 10)[1];
    expect(line.waiting).toEqual([heavy, light]);
    expect(giveBack(line, 3).granted).toEqual([heavy]);
  });

  it('grants who stands behind when a heavy one leaves', () => {
    let line = enter(resize(emptyLine(), 4).line, waiter(3), 10)[1];
    const heavy = waiter(4);
    const light = waiter(1);
    line = enter(enter(line, heavy, 10)[1], light, 10)[1];
    expect(leave(line, heavy).granted).toEqual([light]);
  });

  it('takes no more slots for a request than there are', () => {
    const [entry] = enter(resize(emptyLine(), 4).line, waiter(9), 10);
    expect(entry).toBe('granted');
  });

  it('keeps its bounds and loses nobody, whatever happens', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('enter'), weight: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ kind: fc.constant('leave'), index: fc.nat(20) }),
      fc.record({ kind: fc.constant('return'), index: fc.nat(20) }),
      fc.record({ kind: fc.constant('resize'), capacity: fc.integer({ min: 0, max: 6 }) }),
    );
    fc.assert(fc.property(fc.array(event, { maxLength: 200 }), (events) => holds(events as Event[])));
  });
});

interface Event {
  readonly kind: 'enter' | 'leave' | 'return' | 'resize';
  readonly weight?: number;
  readonly index?: number;
  readonly capacity?: number;
}

/** Replays a history beside the plainest possible book-keeping and compares after each event. */
function holds(events: readonly Event[]): void {
  const maxWaiting = 5;
  let line: Line<Waiter> = emptyLine();
  let arrivals: Waiter[] = [];
  const leases: number[] = [];
  const grant = (granted: readonly Waiter[]) => {
    for (const one of granted) {
      expect(arrivals).toContain(one);
      const ahead = arrivals.slice(0, arrivals.indexOf(one));
      if (one.weight > 0) expect(ahead.filter((other) => other.weight > 0)).toEqual([]);
      arrivals = arrivals.filter((other) => other !== one);
      leases.push(claim(line, one));
    }
  };
  for (const event of events) {
    if (event.kind === 'enter') {
      const one = waiter(event.weight ?? 0);
      const [entry, next] = enter(line, one, maxWaiting);
      if (entry === 'full') expect(arrivals.length).toBe(maxWaiting);
      line = next;
      if (entry === 'granted') leases.push(claim(line, one));
      if (entry === 'waits') arrivals.push(one);
      continue;
    }
    const step = stepOf(event, line, arrivals, leases);
    if (event.kind === 'leave')
      arrivals = arrivals.filter((one) => step.line.waiting.includes(one) || step.granted.includes(one));
    line = step.line;
    grant(step.granted);
    expect(line.waiting).toEqual(arrivals);
    expect(line.leased).toBe(leases.reduce((sum, slots) => sum + slots, 0));
    const idle = leases.length === 0 && line.capacity > 0;
    if (idle) expect(arrivals).toEqual([]);
  }
}

function stepOf(event: Event, line: Line<Waiter>, arrivals: readonly Waiter[], leases: number[]) {
  const index = event.index ?? 0;
  if (event.kind === 'resize') return resize(line, event.capacity ?? 0);
  if (event.kind === 'leave') return leave(line, arrivals[index] ?? waiter(1));
  const [slots = 0] = leases.splice(index, 1);
  return giveBack(line, slots);
}
