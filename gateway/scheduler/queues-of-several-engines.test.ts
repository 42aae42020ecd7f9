import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstOf, grantOf, roomy, serveAll, waiter } from '../../test/harness/queue-requests.ts';
import { FairQueue, type Grant } from './fair-queue.ts';
import { LaneAccounts } from './lane-accounts.ts';
import type { Waiter } from './waiter.ts';

describe('queues of several engines', () => {
  function twoQueues() {
    const accounts = new LaneAccounts();
    const [here, elsewhere] = [
      new FairQueue<Waiter>(roomy, accounts),
      new FairQueue<Waiter>(roomy, accounts),
    ];
    here.setCapacity(1);
    elsewhere.setCapacity(1);
    const running = grantOf(here.enqueue(waiter('other')));
    return { here, elsewhere, running };
  }

  it('count a turn as a turn, at whichever engine a lane has it', () => {
    const { here, elsewhere, running } = twoQueues();
    here.enqueue(waiter('a'));
    here.enqueue(waiter('b'));
    for (let turn = 0; turn < 3; turn++) elsewhere.release(grantOf(elsewhere.enqueue(waiter('a'))));
    expect(serveAll(here, running)).toEqual(['b', 'a']);
  });

  it('let no lane wait for ever because it is served elsewhere', () => {
    const { here, elsewhere, running } = twoQueues();
    here.enqueue(waiter('a'));
    for (let n = 0; n < 40; n++) here.enqueue(waiter('b'));
    for (let turn = 0; turn < 1000; turn++) elsewhere.release(grantOf(elsewhere.enqueue(waiter('a'))));
    expect(serveAll(here, running).indexOf('a')).toBeLessThan(20);
  });

  /** Queues with one slot each, and the lanes of the grants that a release elsewhere has led to. */
  function queuesOfModels(count: number) {
    const accounts = new LaneAccounts();
    const elsewhere: Grant<Waiter>[] = [];
    const onGrants = (grants: readonly Grant<Waiter>[]) => void elsewhere.push(...grants);
    const queues = Array.from({ length: count }, () => {
      const queue = new FairQueue<Waiter>(roomy, accounts, undefined, onGrants);
      queue.setCapacity(4);
      return queue;
    });
    return { queues, elsewhere };
  }

  it('let a key have as many requests as it may have at one', () => {
    const { queues, elsewhere } = queuesOfModels(3);
    const [first, second, third] = queues as [FairQueue<Waiter>, FairQueue<Waiter>, FairQueue<Waiter>];
    const limited = () => waiter('limited', 1, { maxConcurrent: 2 });
    const running = grantOf(first.enqueue(limited()));
    grantOf(second.enqueue(limited()));
    const [next, last] = [limited(), limited()];
    expect([second.enqueue(next).outcome, third.enqueue(last).outcome]).toEqual(['queued', 'queued']);
    expect(third.setCapacity(4), 'at its limit').toEqual([]);
    expect(third.enqueue(waiter('other')).outcome, 'another key').toBe('granted');
    expect(first.release(running)).toEqual([]);
    expect(elsewhere.map((grant) => grant.waiter)).toEqual([next]);
    expect(second.release(firstOf(elsewhere))).toEqual([]);
    expect(elsewhere.map((grant) => grant.waiter)).toEqual([next, last]);
  });

  it('serve a key at its limit in turn', () => {
    const { queues, elsewhere } = queuesOfModels(3);
    const limited = () => waiter('limited', 1, { maxConcurrent: 1 });
    const served: number[] = [];
    let running = grantOf((queues[0] as FairQueue<Waiter>).enqueue(limited()));
    let at = 0;
    for (const queue of queues) for (let n = 0; n < 3; n++) queue.enqueue(limited());
    while (queues.some(({ counts }) => counts.waiting > 0)) {
      const here = (queues[at] as FairQueue<Waiter>).release(running);
      const grants = [...here, ...elsewhere.splice(0)];
      expect(grants).toHaveLength(1);
      running = firstOf(grants);
      at = queues.findIndex(({ counts: { leased } }) => leased === 1);
      served.push(at);
    }
    expect(served).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  it('follow the limit of a key when it is changed', () => {
    const { queues, elsewhere } = queuesOfModels(2);
    const [first, second] = queues as [FairQueue<Waiter>, FairQueue<Waiter>];
    const of = (maxConcurrent: number) => waiter('changed', 1, { maxConcurrent });
    const running = grantOf(first.enqueue(of(1)));
    for (let n = 0; n < 2; n++) expect(second.enqueue(of(1)).outcome).toBe('queued');
    grantOf(first.enqueue(of(3)));
    first.release(running);
    expect(elsewhere).toHaveLength(2);
  });

  it('neither exceed the limit of a key nor let a request wait that may be served, whatever happens', () => {
    const event = fc.record({
      queue: fc.nat(2),
      lane: fc.constantFrom('a', 'b', 'c'),
      action: fc.constantFrom('enqueue', 'enqueue', 'release', 'remove'),
      which: fc.nat(9),
    });
    const limits: Readonly<Record<string, number>> = { a: 1, b: 3, c: Infinity };
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80, size: 'max' }), (events) => {
        const { queues, elsewhere } = queuesOfModels(3);
        const running: { readonly queue: FairQueue<Waiter>; readonly grant: Grant<Waiter> }[] = [];
        const home = new Map<Waiter, FairQueue<Waiter>>();
        const grant = (grants: readonly Grant<Waiter>[]) => {
          for (const each of [...grants, ...elsewhere.splice(0)])
            running.push({ queue: home.get(each.waiter) as FairQueue<Waiter>, grant: each });
        };
        const runningOf = (id: string) =>
          running.filter(({ grant: { waiter: w } }) => w.lane.id === id).length;
        for (const { queue: at, lane, action, which } of events) {
          const queue = queues[at] as FairQueue<Waiter>;
          if (action === 'enqueue') {
            const next = waiter(lane, 1, { maxConcurrent: limits[lane] ?? 0 });
            home.set(next, queue);
            const entered = queue.enqueue(next);
            grant(entered.outcome === 'granted' ? [entered.grant] : []);
          } else if (action === 'release') {
            const [ended] = running.splice(which % Math.max(running.length, 1), 1);
            if (ended) grant(ended.queue.release(ended.grant));
          } else {
            const [leaving] = queue.waiting.slice(which % Math.max(queue.counts.waiting, 1));
            if (leaving) grant(queue.remove(leaving)[1]);
          }
          for (const [id, limit] of Object.entries(limits)) expect(runningOf(id)).toBeLessThanOrEqual(limit);
          for (const each of queues) {
            const { capacity, leased } = each.counts;
            const mayRun = each.waiting.some(({ lane: { id } }) => runningOf(id) < (limits[id] ?? 0));
            expect(leased < capacity && mayRun, 'a request waits that may be served').toBe(false);
          }
        }
      }),
    );
  });

  const share = (limits: typeof roomy) => {
    const queues: FairQueue<Waiter>[] = [];
    for (let n = 0; n < 2; n++) queues.push(new FairQueue<Waiter>(limits, undefined, () => queues));
    const [first, second] = queues;
    if (!first || !second) throw new Error('no queues');
    return { first, second };
  };

  it('have the limits of their model in common', () => {
    const { first, second } = share({ maxWaiting: 3, maxWaitingPerLane: 2 });
    expect(first.enqueue(waiter('a')).outcome).toBe('queued');
    expect(second.enqueue(waiter('a')).outcome).toBe('queued');
    expect(second.enqueue(waiter('a')).outcome, 'of one key').toBe('full');
    expect(second.enqueue(waiter('b')).outcome).toBe('queued');
    expect(first.enqueue(waiter('b')).outcome, 'in all').toBe('full');
    expect([first.counts.waiting, second.counts.waiting]).toEqual([1, 2]);
  });

  it('let a key that fills the line of one engine keep no other key out of the line of another', () => {
    const { first, second } = share({ maxWaiting: 4, maxWaitingPerLane: 4 });
    const flood = [1, 2, 3, 4].map(() => waiter('flood'));
    for (const each of flood) first.enqueue(each);
    expect(second.enqueue(waiter('other'))).toEqual({ outcome: 'queued', evicted: flood[3] });
    expect([first.counts.waiting, second.counts.waiting]).toEqual([3, 1]);
  });

  /** Replicas of one model, which serve each other's lines; what one of them grants on its own goes to `onGrants`. */
  function replicas(count: number, onGrants: (grants: readonly Grant<Waiter>[]) => void) {
    const accounts = new LaneAccounts();
    const queues: FairQueue<Waiter>[] = [];
    for (let n = 0; n < count; n++) {
      queues.push(
        new FairQueue<Waiter>(
          roomy,
          accounts,
          () => queues,
          onGrants,
          () => true,
        ),
      );
    }
    for (const queue of queues) queue.setCapacity(1);
    return queues as [FairQueue<Waiter>, FairQueue<Waiter>];
  }

  it('give the next free slot of any replica to a key that holds none', () => {
    for (const freed of [0, 1] as const) {
      const queues = replicas(2, () => {});
      const running = queues.map((queue) => grantOf(queue.enqueue(waiter('flood'))));
      for (let n = 0; n < 10; n++) for (const queue of queues) queue.enqueue(waiter('flood'));
      const newcomer = waiter('newcomer');
      queues[1].enqueue(newcomer);
      expect(queues[freed].release(running[freed] as Grant<Waiter>)).toEqual([
        { waiter: newcomer, slots: 1 },
      ]);
      expect(queues.map(({ counts }) => counts.waiting)).toEqual([10, 10]);
    }
  });

  it('keep to the weights of keys although their requests wait at several replicas', () => {
    const queues = replicas(2, () => {});
    const high = () => waiter('high', 1, { weight: 4 });
    const low = () => waiter('low', 1, { weight: 1 });
    const running = queues.map((queue) => grantOf(queue.enqueue(high())));
    for (let n = 0; n < 300; n++) for (const queue of queues) queue.enqueue(high());
    const served: string[] = [];
    for (let n = 0; n < 300; n++) {
      const isWaiting = queues.some((queue) => queue.waiting.some(({ lane: { id } }) => id === 'low'));
      const isRunning = running.some(({ waiter: { lane } }) => lane.id === 'low');
      // One after the other, at the replica whose slot does not become free next.
      if (!isWaiting && !isRunning) queues[(n + 1) % 2 === 0 ? 0 : 1].enqueue(low());
      const at = n % 2 === 0 ? 0 : 1;
      running[at] = firstOf(queues[at].release(running[at] as Grant<Waiter>));
      served.push(running[at].waiter.lane.id);
    }
    const share = served.filter((id) => id === 'low').length / served.length;
    expect(share).toBeCloseTo(0.2);
  });

  it('give a key its share at one replica although it waits at one whose slot does not become free', () => {
    const queues = replicas(2, () => {});
    const [freed, held] = queues;
    grantOf(held.enqueue(waiter('flood')));
    let running = grantOf(freed.enqueue(waiter('flood')));
    for (let n = 0; n < 100; n++) freed.enqueue(waiter('flood'));
    const served: string[] = [];
    for (let n = 0; n < 20; n++) {
      if (running.waiter.lane.id === 'flood') held.enqueue(waiter('other'));
      running = firstOf(freed.release(running));
      served.push(running.waiter.lane.id);
    }
    expect(served.filter((id) => id === 'other')).toHaveLength(10);
  });

  it('serve each request once, and leave no slot free for which one waits', () => {
    const event = fc.record({ at: fc.nat(1), lane: fc.constantFrom('a', 'b', 'c'), isRelease: fc.boolean() });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
        const granted: Grant<Waiter>[] = [];
        const queues = replicas(2, (grants) => void granted.push(...grants));
        const held: (Grant<Waiter> | undefined)[] = [undefined, undefined];
        const served = new Set<Waiter>();
        const hold = (at: number, grants: readonly Grant<Waiter>[]) => {
          for (const grant of grants) {
            expect(held[at], 'two requests have one slot').toBeUndefined();
            expect(served, 'served twice').not.toContain(grant.waiter);
            served.add(grant.waiter);
            held[at] = grant;
          }
        };
        let entered = 0;
        for (const { at, lane, isRelease } of events) {
          const queue = queues[at as 0 | 1];
          const running = held[at];
          if (!isRelease) {
            entered += 1;
            const result = queue.enqueue(waiter(lane));
            hold(at, result.outcome === 'granted' ? [result.grant] : []);
          } else if (running !== undefined) {
            held[at] = undefined;
            hold(at, queue.release(running));
          }
          for (const [n, each] of queues.entries()) {
            each.grantNext();
            hold(n, granted.splice(0));
          }
          const waiting = queues.reduce((sum, { counts }) => sum + counts.waiting, 0);
          expect(served.size + waiting).toBe(entered);
          if (waiting > 0) expect(held).not.toContain(undefined);
        }
      }),
    );
  });
});
