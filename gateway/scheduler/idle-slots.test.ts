import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { laneSettings, roomy, waiter } from '../../test/harness/queue-requests.ts';
import { FairQueue, type Grant } from './fair-queue.ts';
import { type BatchWaiter, IdleSlots, slotsForBatches } from './idle-slots.ts';
import type { LaneSettings, Waiter } from './waiter.ts';

interface Line extends BatchWaiter {
  readonly requeued: boolean;
}

/** Slots with both classes, as the scheduler joins them. What is granted or cut off is recorded. */
class Engine {
  readonly clients = new FairQueue<Waiter>(roomy);
  readonly lines: IdleSlots<Line>;
  running: Grant<Waiter>[] = [];
  runningLines: Grant<Line>[] = [];
  readonly preempted = new Set<Line>();

  constructor(capacity: number, batchSlots?: number) {
    this.clients.setCapacity(capacity);
    this.lines = new IdleSlots(this.clients, batchSlots);
  }

  line(id = 'a', { generated = 0, slots = 1, mayGiveWay = true, requeued = false } = {}): Line {
    const line: Line = {
      slots,
      lane: laneSettings(id),
      requeued,
      line: { generated, mayGiveWay: () => mayGiveWay, preempt: () => void this.preempted.add(line) },
    };
    return line;
  }

  enter(one: Waiter): boolean {
    const entered = this.clients.enqueue(one);
    if (entered.outcome === 'granted') this.running.push(entered.grant);
    this.#settle();
    return entered.outcome === 'granted';
  }

  enterLine(line: Line): boolean {
    const [grant] = this.lines.enqueue(line);
    if (grant) this.runningLines.push(grant);
    return grant !== undefined;
  }

  release(grant: Grant<Waiter>): void {
    this.running = this.running.filter((other) => other !== grant);
    this.running.push(...this.clients.release(grant));
    this.#settle();
  }

  releaseLine(grant: Grant<Line>): void {
    this.runningLines = this.runningLines.filter((other) => other !== grant);
    this.preempted.delete(grant.waiter);
    this.lines.release(grant);
    this.running.push(...this.clients.setCapacity(this.clients.capacity));
    this.#settle();
  }

  leave(one: Waiter): void {
    this.running.push(...this.clients.remove(one)[1]);
    this.#settle();
  }

  setCapacity(capacity: number): void {
    this.running.push(...this.clients.setCapacity(capacity));
    this.#settle();
  }

  #settle(): void {
    this.runningLines.push(...this.lines.settle());
  }
}

describe('idle slots', () => {
  it.each([
    [4, undefined, 3],
    [1, undefined, 1],
    [0, undefined, 0],
    [4, 4, 4],
    [4, 9, 4],
    [4, 1, 1],
  ])('of %s slots with BATCH_SLOTS=%s batches may use %s', (capacity, limit, expected) => {
    expect(slotsForBatches(capacity, limit)).toBe(expected);
    const engine = new Engine(capacity, limit);
    const granted = Array.from({ length: 6 }, () => engine.enterLine(engine.line())).filter(Boolean);
    expect(granted).toHaveLength(expected);
  });

  it('cuts off as many lines as slots are missing, those with least to lose', () => {
    const engine = new Engine(4, 4);
    const lines = [30, 10, 20, 5].map((generated) => engine.line('a', { generated }));
    for (const line of lines) expect(engine.enterLine(line)).toBe(true);
    expect(engine.enter(waiter('client', 2))).toBe(false);
    expect([...engine.preempted]).toEqual([lines[3], lines[1]]);
    engine.enter(waiter('client'));
    expect([...engine.preempted]).toEqual([lines[3], lines[1], lines[2]]);
  });

  it('cuts off lines that read their prompts last, and of these the newest: so they get on in the end', () => {
    const engine = new Engine(3, 3);
    const lines = [engine.line(), engine.line(), engine.line('a', { generated: 99 })];
    for (const line of lines) engine.enterLine(line);
    engine.enter(waiter('client'));
    expect([...engine.preempted]).toEqual([lines[2]]);
    engine.enter(waiter('client'));
    expect([...engine.preempted]).toEqual([lines[2], lines[1]]);
  });

  it('cuts off none while enough are on their way out, or a slot is free', () => {
    const engine = new Engine(4);
    for (let n = 0; n < 3; n++) engine.enterLine(engine.line());
    expect(engine.enter(waiter('client'))).toBe(true);
    expect(engine.preempted.size).toBe(0);
    const next = waiter('client');
    expect(engine.enter(next)).toBe(false);
    expect(engine.preempted.size).toBe(1);
    engine.leave(next);
    engine.enter(waiter('client'));
    expect(engine.preempted.size, 'the slot of the one that is leaving is enough').toBe(1);
  });

  it('leaves a line to finish that cannot be continued', () => {
    const engine = new Engine(2, 2);
    const [fixed, other] = [engine.line('a', { mayGiveWay: false }), engine.line('a', { generated: 99 })];
    engine.enterLine(fixed);
    engine.enterLine(other);
    engine.enter(waiter('client'));
    engine.enter(waiter('client'));
    expect([...engine.preempted]).toEqual([other]);
  });

  it('gives no slot back to a client whose lane is at its own limit, and goes on meanwhile', () => {
    const engine = new Engine(3, 3);
    expect(engine.enter(waiter('bound', 1, { maxConcurrent: 1 }))).toBe(true);
    engine.enterLine(engine.line());
    expect(engine.enter(waiter('bound', 1, { maxConcurrent: 1 }))).toBe(false);
    expect(engine.enterLine(engine.line())).toBe(true);
    expect(engine.preempted.size).toBe(0);
    engine.enterLine(engine.line());
    const [first] = engine.running as [Grant<Waiter>];
    engine.release(first);
    expect(engine.running, 'its turn has come').toHaveLength(1);
    expect(engine.runningLines).toHaveLength(2);
  });

  it('sends a line that was cut off first, before the lines of other keys', () => {
    const engine = new Engine(1);
    const cutOff = engine.line('a');
    engine.enterLine(cutOff);
    for (const id of ['b', 'c']) engine.enterLine(engine.line(id));
    engine.enter(waiter('client'));
    engine.releaseLine(engine.runningLines[0] as Grant<Line>);
    const again = engine.line('a', { requeued: true });
    expect(engine.enterLine(again)).toBe(false);
    engine.release(engine.running[0] as Grant<Waiter>);
    expect(engine.runningLines.map((grant) => grant.waiter)).toEqual([again]);
  });

  it('shares slots equally between keys', () => {
    const engine = new Engine(1);
    engine.enterLine(engine.line('a'));
    for (let n = 0; n < 20; n++) engine.enterLine(engine.line('a'));
    for (let n = 0; n < 10; n++) engine.enterLine(engine.line('b'));
    const order: string[] = [];
    for (let n = 0; n < 20; n++) {
      engine.releaseLine(engine.runningLines[0] as Grant<Line>);
      order.push(engine.runningLines[0]?.waiter.lane.id ?? '');
    }
    expect(order.filter((id) => id === 'b')).toHaveLength(10);
  });

  it('keeps its invariants over any sequence of events', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
        fc.array(anyEvent, { maxLength: 200 }),
        replay,
      ),
      { numRuns: 400 },
    );
  });
});

const lane = fc.constantFrom('a', 'b', 'c');
const clientLane = fc.constantFrom(
  laneSettings('x'),
  laneSettings('y', { weight: 4 }),
  laneSettings('z', { maxConcurrent: 1 }),
);
const anyEvent = fc.oneof(
  fc.record({
    kind: fc.constant('client' as const),
    slots: fc.integer({ min: 1, max: 3 }),
    settings: clientLane,
  }),
  fc.record({
    ...{ kind: fc.constant('line' as const), id: lane, generated: fc.nat(50) },
    ...{ slots: fc.integer({ min: 1, max: 2 }), mayGiveWay: fc.boolean() },
  }),
  fc.record({ kind: fc.constant('end' as const), index: fc.nat(8) }),
  fc.record({ kind: fc.constant('end line' as const), index: fc.nat(8) }),
  fc.record({ kind: fc.constant('cut off' as const), index: fc.nat(8) }),
  fc.record({ kind: fc.constant('leave' as const), index: fc.nat(8) }),
  fc.record({ kind: fc.constant('leave line' as const), index: fc.nat(8) }),
  fc.record({ kind: fc.constant('capacity' as const), capacity: fc.integer({ min: 0, max: 6 }) }),
);
type Event = typeof anyEvent extends fc.Arbitrary<infer E> ? E : never;

const sumOf = (grants: readonly Grant<Waiter>[]) => grants.reduce((sum, { slots }) => sum + slots, 0);
const isServable = (
  { lane: { id, maxConcurrent } }: { lane: LaneSettings },
  running: readonly Grant<Waiter>[],
) => running.filter((grant) => grant.waiter.lane.id === id).length < maxConcurrent;

/** Replays a history, checks each event, and lets all end: then every line has been served. */
function replay(capacity: number, limit: number | undefined, events: readonly Event[]): void {
  const engine = new Engine(capacity, limit);
  const unserved = new Set<Line>();
  const enterLine = (line: Line) => {
    unserved.add(line);
    engine.enterLine(line);
  };

  for (const event of events) {
    const before = new Set(engine.runningLines);
    const index = 'index' in event ? event.index : 0;
    if (event.kind === 'client') engine.enter({ slots: event.slots, lane: event.settings });
    if (event.kind === 'line') enterLine(engine.line(event.id, event));
    if (event.kind === 'capacity') engine.setCapacity(event.capacity);
    const grant = engine.running[index];
    if (event.kind === 'end' && grant) engine.release(grant);
    const lineGrant = engine.runningLines[index];
    if (event.kind === 'end line' && lineGrant) {
      unserved.delete(lineGrant.waiter);
      engine.releaseLine(lineGrant);
    }
    const cutOff = [...engine.preempted][index];
    if (event.kind === 'cut off' && cutOff) {
      const left = engine.runningLines.find((it) => it.waiter === cutOff) as Grant<Line>;
      unserved.delete(cutOff);
      engine.releaseLine(left);
      enterLine({ ...cutOff, requeued: true, line: { ...cutOff.line, preempt: () => {} } });
    }
    const waiting = engine.clients.waiting[index];
    if (event.kind === 'leave' && waiting) engine.leave(waiting);
    const waitingLine = engine.lines.waiting[index];
    if (event.kind === 'leave line' && waitingLine) {
      unserved.delete(waitingLine);
      engine.runningLines.push(...engine.lines.remove(waitingLine)[1]);
    }

    const granted = engine.runningLines.filter((it) => !before.has(it));
    const { capacity: slots } = engine.clients;
    const atMost = slotsForBatches(slots, limit);
    const servable = engine.clients.waiting.filter((it) => isServable(it, engine.running));
    if (granted.length > 0) {
      expect(servable, 'no line is granted while a client waits that could be served').toEqual([]);
      expect(sumOf(engine.runningLines), 'never more than BATCH_SLOTS').toBeLessThanOrEqual(atMost);
      expect(sumOf(engine.runningLines) + sumOf(engine.running)).toBeLessThanOrEqual(slots);
    }
    expect(engine.lines.leased, 'slots are conserved').toBe(sumOf(engine.runningLines));
    expect(engine.clients.leased).toBe(sumOf(engine.running));
    expect(engine.clients.occupied).toBe(engine.lines.leased);
    const free = slots - engine.lines.leased - engine.clients.leased;
    const { next } = engine.lines;
    if (servable.length === 0 && next !== undefined) {
      const room = Math.min(free, atMost - engine.lines.leased);
      expect(Math.min(next.slots, atMost), 'no slot idles').toBeGreaterThan(atMost > 0 ? room : -1);
    }
    const mayLeave = engine.runningLines.filter(
      (it) => it.waiter.line.mayGiveWay() && !engine.preempted.has(it.waiter) && !it.waiter.requeued,
    );
    const leaving = engine.runningLines.filter((it) => engine.preempted.has(it.waiter));
    if (servable.length > 0 && slots > engine.clients.leased && free + sumOf(leaving) <= 0)
      expect(mayLeave, 'a line gives way if a client waits').toEqual([]);
  }

  engine.setCapacity(5);
  for (let left = 2000; left > 0; left--) {
    const [line] = engine.runningLines;
    const [grant] = engine.running;
    if (line) {
      unserved.delete(line.waiter);
      engine.releaseLine(line);
    } else if (grant) engine.release(grant);
    else break;
  }
  expect([...unserved], 'every line is served').toEqual([]);
  expect([engine.clients.leased, engine.lines.leased, engine.clients.counts.waiting]).toEqual([0, 0, 0]);
}
