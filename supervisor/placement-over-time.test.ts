import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type RunOptions, runPlacement, type SimulatedModel } from '../test/harness/placement-run.ts';

const second = 1000;
/** A switch with its answers and twice the load fit into the hold. */
const [hold, unloadMs, longestAnswer, longestLoad] = [30 * second, second, 8 * second, 10 * second];
const budget = 10;

const requestsFor = (models: number, lastsMs: number, minLength = 1) =>
  fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: lastsMs }),
      model: fc.nat(models - 1),
      durationMs: fc.integer({ min: 100, max: longestAnswer }),
    }),
    { minLength, maxLength: 120 },
  );
const loadMs = fc.integer({ min: 100, max: longestLoad });
const slots = fc.integer({ min: 1, max: 4 });

/** Models of all sizes, at most one of them pinned: every one fits beside it. */
const anyRun: fc.Arbitrary<RunOptions> = fc
  .array(
    fc.record({
      need: fc.integer({ min: 1, max: 7 }),
      pin: fc.constant(false),
      ttl: fc.option(fc.integer({ min: second, max: 60 * second }), { nil: undefined }),
      loadMs,
      slots,
    }),
    { minLength: 1, maxLength: 5 },
  )
  .chain((models) =>
    fc.record({
      models: fc.constantFrom<readonly SimulatedModel[]>(
        models,
        models.map((model, index) =>
          index === 0 ? { ...model, need: Math.min(model.need, 3), pin: true } : model,
        ),
      ),
      requests: fc.oneof(requestsFor(models.length, 600 * second), requestsFor(models.length, 60 * second)),
      budget: fc.constant(budget),
      hold: fc.constant(hold),
      unloadMs: fc.constant(unloadMs),
    }),
  );

/** Two models of which one fits, each with requests all the time. */
const rivals: fc.Arbitrary<RunOptions> = fc.record({
  models: fc
    .tuple(loadMs, loadMs, slots)
    .map(([first, second_, places]) =>
      [first, second_].map((time) => ({ need: 6, pin: false, ttl: undefined, loadMs: time, slots: places })),
    ),
  requests: requestsFor(2, 150 * second, 80),
  budget: fc.constant(budget),
  hold: fc.constant(hold),
  unloadMs: fc.constant(unloadMs),
});

it('never exceeds the budget, takes no model that is pinned, in use or loading, and loads all that are waited for', () => {
  fc.assert(
    fc.property(anyRun, (options) => {
      const { violations, served } = runPlacement(options);
      expect(violations).toEqual([]);
      expect(served).toBe(options.requests.length);
    }),
    { numRuns: 300 },
  );
});

it('nobody starves: the model of a request is loaded after one turn of each other model at the latest', () => {
  fc.assert(
    fc.property(anyRun, (options) => {
      const turn = hold + longestAnswer + unloadMs + longestLoad;
      for (const { waitedMs, arrivedAt, model } of firstOfEachTurn(options)) {
        expect({ model, arrivedAt, inTime: waitedMs <= options.models.length * turn }).toMatchObject({
          inTime: true,
        });
      }
    }),
    { numRuns: 300 },
  );
});

it('two models that do not fit together switch at most once in each hold, and wait for hold, answer, unload and load', () => {
  fc.assert(
    fc.property(rivals, (options) => {
      const { switches, violations } = runPlacement(options);
      expect(violations).toEqual([]);
      const starts = switches.map(({ at }) => at);
      for (const [index, at] of starts.entries())
        if (index > 0) expect(at - (starts[index - 1] ?? 0)).toBeGreaterThanOrEqual(hold);
      for (const { waitedMs } of firstOfEachTurn(options))
        expect(waitedMs).toBeLessThanOrEqual(hold + longestAnswer + unloadMs + longestLoad);
    }),
    { numRuns: 300 },
  );
});

/** The waits that ended with a load: the longest of each model at each moment. Others wait for slots, not for memory. */
function firstOfEachTurn(options: RunOptions) {
  const byMoment = new Map<string, { model: number; arrivedAt: number; waitedMs: number }>();
  for (const wait of runPlacement({ ...options, models: withEndlessSlots(options.models) }).waits) {
    const key = `${wait.model} ${wait.arrivedAt + wait.waitedMs}`;
    const other = byMoment.get(key);
    if (other === undefined || other.waitedMs < wait.waitedMs) byMoment.set(key, wait);
  }
  return [...byMoment.values()];
}

const withEndlessSlots = (models: readonly SimulatedModel[]) =>
  models.map((model) => ({ ...model, slots: Number.POSITIVE_INFINITY }));
