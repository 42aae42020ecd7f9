import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstOf, grantOf, roomy, waiter } from '../../test/harness/queue-requests.ts';
import { FairQueue, type Grant, type QueueLimits } from './fair-queue.ts';
import { LaneAccounts } from './lane-accounts.ts';
import { LaneUsers } from './lane-users.ts';
import { userOf, type Waiter } from './waiter.ts';

function createQueue(capacity: number, limits: QueueLimits = roomy): FairQueue<Waiter> {
  const queue = new FairQueue<Waiter>(limits);
  queue.setCapacity(capacity);
  return queue;
}

const of = (key: string, user: string, { slots = 1, maxConcurrent = Infinity } = {}): Waiter =>
  waiter(key, slots, { user: { id: user, maxConcurrent } });

/** Serves one request after the other; `onEnd` may send the next. Returns who was served. */
function serve(
  queue: FairQueue<Waiter>,
  first: Grant<Waiter>,
  turns: number,
  onEnd: (ended: Waiter) => void = () => {},
): Waiter[] {
  const order: Waiter[] = [];
  let running: Grant<Waiter> | undefined = first;
  while (running !== undefined && order.length < turns) {
    const ended: Waiter = running.waiter;
    [running] = queue.release(running);
    if (running !== undefined) order.push(running.waiter);
    onEnd(ended);
  }
  return order;
}

const count = (order: readonly Waiter[], matches: (one: Waiter) => boolean) => order.filter(matches).length;

describe('users of a key', () => {
  it('have one share together: fifty of one key get as much as one client of another', () => {
    const queue = createQueue(1);
    const first = grantOf(queue.enqueue(waiter('warm-up')));
    for (let n = 0; n < 200; n++) queue.enqueue(waiter('single'));
    for (let n = 0; n < 400; n++) queue.enqueue(of('team', `user ${n % 50}`));
    const order = serve(queue, first, 300);
    expect(Math.abs(count(order, ({ lane }) => lane.id === 'team') - 150)).toBeLessThanOrEqual(1);
    const perUser = Map.groupBy(
      order.filter(({ lane }) => lane.id === 'team'),
      userOf,
    );
    expect(perUser.size).toBe(50);
    expect([...perUser.values()].map((turns) => turns.length)).toEqual(Array(50).fill(3));
  });

  it('do not wait for the flood of another user for longer than one turn', () => {
    const queue = createQueue(1);
    const first = grantOf(queue.enqueue(of('team', 'flood')));
    for (let n = 0; n < 500; n++) queue.enqueue(of('team', 'flood'));
    queue.enqueue(of('team', 'lone'));
    expect(serve(queue, first, 500).map(userOf).indexOf('lone')).toBeLessThanOrEqual(1);
  });

  it('get every other turn beside a flood if they send one request after the other', () => {
    const queue = createQueue(1);
    const first = grantOf(queue.enqueue(of('team', 'flood')));
    for (let n = 0; n < 100; n++) queue.enqueue(of('team', 'flood'));
    queue.enqueue(of('team', 'lone'));
    const order = serve(queue, first, 60, (ended) => {
      if (userOf(ended) === 'lone') queue.enqueue(of('team', 'lone'));
    });
    expect(count(order, (one) => userOf(one) === 'lone')).toBeGreaterThanOrEqual(29);
  });

  it('come to their second turn however many new users come', () => {
    const queue = createQueue(1);
    let users = 0;
    const send = () => queue.enqueue(of('team', `new ${users++}`));
    const first = grantOf(send());
    for (let n = 0; n < 20; n++) send();
    const old = of('team', 'old');
    for (const one of [of('team', 'old'), old]) queue.enqueue(one);
    const order = serve(queue, first, 200, send);
    expect(order.indexOf(old)).toBeGreaterThan(20);
    expect(order.indexOf(old)).toBeLessThan(70);
  });

  it('pay for all sequences of a request', () => {
    const queue = createQueue(2);
    const first = grantOf(queue.enqueue(of('team', 'large', { slots: 8 })));
    for (let n = 0; n < 10; n++) queue.enqueue(of('team', 'large', { slots: 8 }));
    for (let n = 0; n < 20; n++) queue.enqueue(of('team', 'small', { slots: 2 }));
    const order = serve(queue, first, 20).map(userOf);
    expect(order.filter((user) => user === 'small').length).toBeGreaterThanOrEqual(15);
  });

  it('are not charged for requests that they have given up', () => {
    const queue = createQueue(1);
    const first = grantOf(queue.enqueue(of('team', 'busy')));
    const given = Array.from({ length: 50 }, () => of('team', 'impatient'));
    for (const one of given) queue.enqueue(one);
    for (const one of given) queue.remove(one);
    for (let n = 0; n < 10; n++) queue.enqueue(of('team', 'busy'));
    queue.enqueue(of('team', 'impatient'));
    expect(serve(queue, first, 10).map(userOf).indexOf('impatient')).toBeLessThanOrEqual(1);
  });

  it('queue at their own limit without holding up others of their key', () => {
    const queue = createQueue(4);
    const limited = () => of('team', 'limited', { maxConcurrent: 1 });
    const first = grantOf(queue.enqueue(limited()));
    const second = limited();
    expect(queue.enqueue(second).outcome).toBe('queued');
    expect(queue.enqueue(of('team', 'other')).outcome).toBe('granted');
    expect(queue.wanted(4), 'slots that lines of batches have to give back').toBe(0);
    expect(queue.release(first)).toEqual([{ waiter: second, slots: 1 }]);
  });

  it('find a place in the part of the queue that another user of their key has filled', () => {
    const queue = createQueue(1, { maxWaiting: 20, maxWaitingPerLane: 10 });
    grantOf(queue.enqueue(of('team', 'flood')));
    const flood = Array.from({ length: 10 }, () => of('team', 'flood'));
    for (const one of flood) expect(queue.enqueue(one).outcome).toBe('queued');
    expect(queue.enqueue(of('team', 'flood')).outcome).toBe('full');
    expect(queue.enqueue(of('team', 'lone'))).toEqual({ outcome: 'queued', evicted: flood[9] });
    for (let n = 0; n < 20; n++) queue.enqueue(of('team', 'lone'));
    const waiting = Map.groupBy(queue.waiting, userOf);
    expect([waiting.get('flood')?.length, waiting.get('lone')?.length]).toEqual([5, 5]);
  });

  it('find a place in a queue that another user of their key has filled', () => {
    const queue = createQueue(0, { maxWaiting: 4, maxWaitingPerLane: 10 });
    for (let n = 0; n < 4; n++) queue.enqueue(of('team', 'flood'));
    expect(queue.enqueue(of('team', 'lone')).outcome).toBe('queued');
  });

  it('give way to another key from the user with most requests', () => {
    const queue = createQueue(0, { maxWaiting: 4, maxWaitingPerLane: 10 });
    const flood = Array.from({ length: 3 }, () => of('team', 'flood'));
    for (const one of flood) queue.enqueue(one);
    queue.enqueue(of('team', 'lone'));
    expect(queue.enqueue(waiter('other'))).toEqual({ outcome: 'queued', evicted: flood[2] });
  });

  it('are told a position that comes true', () => {
    const queue = createQueue(1);
    const first = grantOf(queue.enqueue(of('team', 'a')));
    const all = [of('team', 'a'), of('team', 'a'), of('team', 'b'), waiter('other'), of('team', 'c')];
    for (const one of all) queue.enqueue(one);
    const told = new Map(all.map((one) => [one, queue.positionOf(one)]));
    expect(serve(queue, first, 10).map((one) => told.get(one))).toEqual([1, 2, 3, 4, 5]);
  });

  it('have one limit at all engines together', () => {
    const accounts = new LaneAccounts();
    const elsewhere: Grant<Waiter>[] = [];
    const [here, there] = [1, 2].map(() => {
      const queue = new FairQueue<Waiter>(
        roomy,
        accounts,
        undefined,
        (grants) => void elsewhere.push(...grants),
      );
      queue.setCapacity(4);
      return queue;
    }) as [FairQueue<Waiter>, FairQueue<Waiter>];
    const limited = () => of('team', 'limited', { maxConcurrent: 1 });
    const first = grantOf(here.enqueue(limited()));
    const second = limited();
    expect(there.enqueue(second).outcome).toBe('queued');
    expect(there.enqueue(of('team', 'other')).outcome).toBe('granted');
    expect(here.release(first)).toEqual([]);
    expect(firstOf(elsewhere).waiter).toBe(second);
  });

  it('may appear while requests of their key wait', () => {
    const queue = createQueue(1);
    const first = grantOf(queue.enqueue(waiter('team')));
    const before = waiter('team');
    queue.enqueue(before);
    const user = of('team', 'new');
    queue.enqueue(user);
    expect(serve(queue, first, 2)).toEqual([before, user]);
  });

  it('are forgotten, however many have come', () => {
    const users = new LaneUsers();
    for (let n = 0; n < 20_000; n++) {
      const one = of('team', `user ${n}`);
      users.arrive(one);
      users.serve(one);
      users.release(one);
    }
    expect(users.size).toBeLessThan(3);
  });

  it('are forgotten while others wait, but for as many as have just been served', () => {
    const users = new LaneUsers();
    const waiting = Array.from({ length: 100 }, (_, n) => of('team', `waiting ${n}`));
    for (const one of waiting) users.arrive(one);
    for (let n = 0; n < 5000; n++) {
      const one = users.next(waiting);
      if (one === undefined) throw new Error('some wait');
      users.serve(one);
      users.release(one);
      waiting.splice(waiting.indexOf(one), 1);
      const next = of('team', `later ${n}`);
      users.arrive(next);
      waiting.push(next);
    }
    expect(users.size).toBeLessThan(500);
  });

  it('let no request wait that could be served, exceed no limit, and serve each user in order', () => {
    const limits: Readonly<Record<string, number>> = { a: 1, b: 2, c: Infinity };
    const event = fc.record({
      action: fc.constantFrom('enqueue', 'enqueue', 'release', 'remove'),
      key: fc.constantFrom('team', 'other'),
      user: fc.constantFrom('a', 'b', 'c'),
      slots: fc.integer({ min: 1, max: 3 }),
      which: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120, size: 'max' }), (events) => {
        const queue = createQueue(3, { maxWaiting: 8, maxWaitingPerLane: 6 });
        let waiting: Waiter[] = [];
        let running: Grant<Waiter>[] = [];
        const apply = (grants: readonly Grant<Waiter>[]) => {
          for (const grant of grants) {
            const ofUser = waiting.filter((one) => isSame(one, grant.waiter));
            expect(ofUser[0]).toBe(grant.waiter);
            waiting = waiting.filter((one) => one !== grant.waiter);
            running.push(grant);
          }
        };
        for (const { action, key, user, slots, which } of events) {
          if (action === 'enqueue') {
            const one = of(key, user, { slots, maxConcurrent: limits[user] ?? Infinity });
            const entered = queue.enqueue(one);
            if (entered.outcome !== 'full') waiting.push(one);
            if (entered.outcome === 'granted') apply([entered.grant, ...entered.further]);
            if (entered.outcome === 'queued') waiting = waiting.filter((other) => other !== entered.evicted);
          } else if (action === 'remove') {
            const one = waiting[which];
            if (one === undefined) continue;
            waiting = waiting.filter((other) => other !== one);
            apply(queue.remove(one)[1]);
          } else {
            const grant = running[which];
            if (grant === undefined) continue;
            running = running.filter((other) => other !== grant);
            apply(queue.release(grant));
          }
          expect(new Set(queue.waiting)).toEqual(new Set(waiting));
          for (const user of ['a', 'b', 'c'])
            for (const key of ['team', 'other'])
              expect(
                running.filter(({ waiter: w }) => w.lane.id === key && userOf(w) === user).length,
              ).toBeLessThanOrEqual(limits[user] ?? Infinity);
          const leased = running.reduce((sum, { slots: held }) => sum + held, 0);
          if (leased === 0) expect(waiting).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

const isSame = (one: Waiter, other: Waiter) => one.lane.id === other.lane.id && userOf(one) === userOf(other);
