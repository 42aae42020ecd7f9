import { describe, expect, it } from 'vitest';
import { needAfterMemoryFailure, type PlacedModel, type PlacementStep, place } from './placement.ts';

const second = 1000;
const hold = 30 * second;

const unloaded = (id: string, fields: Partial<PlacedModel> = {}): PlacedModel => ({
  id,
  state: 'unloaded',
  pin: false,
  ttl: undefined,
  need: 6,
  leases: 0,
  wantedSince: undefined,
  switchedAt: undefined,
  loadedAt: undefined,
  idleSince: undefined,
  loadMs: 5 * second,
  recentUse: 0,
  ...fields,
});
const loaded = (id: string, fields: Partial<PlacedModel> = {}) =>
  unloaded(id, { state: 'loaded', idleSince: 0, ...fields });
const busy = (id: string, fields: Partial<PlacedModel> = {}) =>
  loaded(id, { leases: 1, idleSince: undefined, recentUse: 1, ...fields });
const wanted = (id: string, since: number, fields: Partial<PlacedModel> = {}) =>
  unloaded(id, { wantedSince: since, ...fields });

/** With a budget for 10. */
const stepAt = (now: number, ...models: readonly PlacedModel[]): PlacementStep =>
  place({ models, budget: 10, hold, now });
const wait = (askAgainAt?: number) => ({ kind: 'nothing', askAgainAt });
const load = (model: string) => ({ kind: 'load', model });
const unload = (model: string, forModel?: string) => ({ kind: 'unload', model, for: forModel });
const drain = (model: string, forModel: string) => ({ kind: 'drain', model, for: forModel });

const arrival = 100 * second;

describe('loading', () => {
  it('nothing is done as long as nobody waits', () => {
    expect(stepAt(0, unloaded('a'), loaded('b', { need: 4 }))).toEqual(wait());
  });

  it('a model that fits is loaded at once, a pinned one without demand', () => {
    expect(stepAt(arrival, wanted('a', arrival), busy('b', { need: 4 }))).toEqual(load('a'));
    expect(stepAt(0, unloaded('a', { pin: true }))).toEqual(load('a'));
  });

  it('pinned models come first, then the one that has been waited for longest', () => {
    expect(stepAt(arrival, wanted('a', 2), wanted('b', 1))).toEqual(load('b'));
    expect(stepAt(arrival, wanted('a', 2), unloaded('b', { pin: true }))).toEqual(load('b'));
  });

  it('a failed model is left alone', () => {
    expect(stepAt(arrival, wanted('a', 1, { state: 'failed' }))).toEqual(wait());
  });

  it('a model that does not fit beside the pinned ones fails with the numbers', () => {
    expect(stepAt(arrival, wanted('a', 1, { need: 8 }), loaded('b', { pin: true, need: 4 }))).toEqual({
      kind: 'fail',
      model: 'a',
      need: 8,
      available: 6,
    });
  });

  it('a small model may overtake a large one only if the large one gets its memory as soon', () => {
    const [large, small] = [wanted('large', 1, { need: 7 }), wanted('small', 2, { need: 3 })];
    const resident = busy('b', { need: 7, switchedAt: arrival });
    expect(stepAt(arrival, large, small, resident)).toEqual(load('small'));
    const larger = wanted('large', 1, { need: 8 });
    expect(stepAt(arrival, larger, small, resident)).toEqual(wait(arrival + hold));
  });
});

describe('a switch', () => {
  it('comes at once if the loaded model was not used for a while', () => {
    expect(stepAt(arrival, wanted('a', arrival), loaded('b'))).toEqual(unload('b', 'a'));
  });

  it('comes after a tenth of the hold if the model was used just now', () => {
    const resident = loaded('b', { idleSince: arrival - 1 * second });
    expect(stepAt(arrival, wanted('a', arrival), resident)).toEqual(wait(arrival + 2 * second));
    expect(stepAt(arrival + 2 * second, wanted('a', arrival), resident)).toEqual(unload('b', 'a'));
  });

  it('waits for the hold if the model is in use, and then for its requests', () => {
    const models = [wanted('a', arrival), busy('b')];
    expect(stepAt(arrival, ...models)).toEqual(wait(arrival + hold));
    expect(stepAt(arrival + hold, ...models)).toEqual(drain('b', 'a'));
    expect(stepAt(arrival + hold, wanted('a', arrival), busy('b', { state: 'draining' }))).toEqual(wait());
  });

  it('comes no earlier than the hold after the last switch', () => {
    const resident = loaded('b', { switchedAt: arrival, loadedAt: arrival + 5 * second });
    const [early, due] = [arrival + 20 * second, arrival + hold];
    expect(stepAt(early, wanted('a', arrival), resident)).toEqual(wait(due));
    expect(stepAt(due, wanted('a', arrival), resident)).toEqual(unload('b', 'a'));
  });

  it('leaves a model at least as long as its load took', () => {
    const loadMs = 60 * second;
    const resident = loaded('b', { switchedAt: arrival, loadedAt: arrival + loadMs, loadMs });
    expect(stepAt(arrival + loadMs, wanted('a', arrival), resident)).toEqual(wait(arrival + 2 * loadMs));
  });

  it.each([
    ['loads', loaded('b', { state: 'loading' })],
    ['is being unloaded', loaded('b', { state: 'unloading' })],
  ])('waits while the other model %s', (_, other) => {
    expect(stepAt(arrival, wanted('a', 0), other)).toEqual(wait());
  });

  it('never takes a pinned model', () => {
    const models = [wanted('a', 0, { need: 4 }), loaded('b', { pin: true }), loaded('c', { need: 3 })];
    expect(stepAt(arrival, ...models)).toEqual(unload('c', 'a'));
  });

  it('takes the model whose loss costs least: time to load × recent use', () => {
    const quick = loaded('quick', { need: 4, loadMs: 2 * second, recentUse: 2 });
    const slow = loaded('slow', { need: 4, loadMs: 20 * second, recentUse: 0.1 });
    expect(stepAt(arrival, wanted('a', arrival), quick, slow)).toEqual(unload('slow', 'a'));
  });

  it('takes as many models as are needed and no more', () => {
    const small = ['x', 'y'].map((id, n) => loaded(id, { need: 2, recentUse: n }));
    const large = loaded('large', { need: 6, recentUse: 5 });
    expect(stepAt(arrival, wanted('a', arrival), ...small, large)).toEqual(unload('large', 'a'));
    const [x, y] = small;
    const ofFour = wanted('a', arrival, { need: 4 });
    expect(stepAt(arrival, ofFour, ...small, large)).toEqual(unload('x', 'a'));
    expect(
      stepAt(arrival, ofFour, { ...x, state: 'unloading' } as PlacedModel, y as PlacedModel, large),
    ).toEqual(unload('y', 'a'));
  });

  it('waits for the time at which enough models may go', () => {
    const one = loaded('one', { need: 5 });
    const other = busy('other', { need: 5 });
    expect(stepAt(arrival, wanted('a', arrival), one, other)).toEqual(wait(arrival + hold));
  });

  it('is not needed any more: the draining model goes on', () => {
    const draining = busy('b', { state: 'draining', wantedSince: arrival });
    expect(stepAt(arrival, unloaded('a'), draining)).toEqual({ kind: 'resume', model: 'b' });
    expect(stepAt(arrival, wanted('a', 0), draining)).toEqual(wait());
  });
});

describe('a ttl', () => {
  it('unloads a model that is not used, and returns the time of the next check', () => {
    const model = loaded('a', { ttl: 60 * second, idleSince: arrival });
    expect(stepAt(arrival, model)).toEqual(wait(arrival + 60 * second));
    expect(stepAt(arrival + 60 * second, model)).toEqual(unload('a'));
  });

  it('has no effect on a pinned model or one in use', () => {
    const ttl = 1;
    expect(stepAt(arrival, loaded('a', { ttl, pin: true, need: 4 }), busy('b', { ttl }))).toEqual(wait());
  });
});

it('a load that failed for memory comes again after one more model was unloaded', () => {
  const other = loaded('other', { need: 2 });
  const again = wanted('a', arrival, { need: needAfterMemoryFailure(6, 8) });
  expect(stepAt(arrival, again, other)).toEqual(unload('other', 'a'));
  expect(stepAt(arrival, again)).toEqual(load('a'));
});

describe('a batch', () => {
  const batch = (id: string, fields: Partial<PlacedModel> = {}) =>
    unloaded(id, { hasLines: true, ...fields });

  it('gets its model loaded where there is room, after those that somebody waits for', () => {
    expect(stepAt(arrival, batch('a'), busy('b', { need: 4 }))).toEqual(load('a'));
    expect(stepAt(arrival, batch('a'), wanted('b', arrival))).toEqual(load('b'));
  });

  it('replaces no model that is in use, however long it waits', () => {
    expect(stepAt(arrival + 100 * hold, batch('a'), busy('b'))).toEqual(wait());
  });

  it('replaces a model that nobody has used for the hold', () => {
    const resident = loaded('b', { idleSince: arrival });
    expect(stepAt(arrival, batch('a'), resident)).toEqual(wait(arrival + hold));
    expect(stepAt(arrival + hold, batch('a'), resident)).toEqual(unload('b', 'a'));
  });

  it('does not replace the model of another batch', () => {
    expect(stepAt(arrival, batch('a'), loaded('b', { hasLines: true, leases: 3 }))).toEqual(wait());
  });

  it('gives the memory back at once to a model that somebody waits for', () => {
    const since = { switchedAt: arrival - 1, loadedAt: arrival, idleSince: arrival };
    const resident = loaded('b', { hasLines: true, leases: 3, ...since });
    expect(stepAt(arrival, wanted('a', arrival), resident)).toEqual(drain('b', 'a'));
    const usedSince = { ...resident, idleSince: arrival + 1 };
    expect(stepAt(arrival + 1, wanted('a', arrival + 1), usedSince)).toEqual(wait(arrival - 1 + hold));
  });

  it('keeps a model that has a ttl', () => {
    const model = loaded('b', { ttl: 1, hasLines: true, leases: 0, idleSince: arrival });
    expect(stepAt(arrival + hold, model)).toEqual(wait());
  });
});
