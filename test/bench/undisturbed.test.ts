import { expect, it } from 'vitest';
import { cpuTimes, undisturbed } from './undisturbed.ts';

/** Measures 1, 2, 3 …, each in 100 ticks of which so many are stolen. */
function machine(stolen: readonly number[]) {
  let [times, measured] = [{ all: 0, stolen: 0 }, 0];
  const disturbed: number[] = [];
  const found = undisturbed(
    async () => {
      times = { all: times.all + 100, stolen: times.stolen + (stolen[measured] ?? 0) };
      measured += 1;
      return measured;
    },
    (share) => disturbed.push(share),
    () => times,
  );
  return { found, disturbed };
}

it('measures once where nobody disturbs', async () => {
  const { found, disturbed } = machine([3]);
  expect(await found).toBe(1);
  expect(disturbed).toEqual([]);
});

it('measures again until it is left alone', async () => {
  const { found, disturbed } = machine([50, 20, 1]);
  expect(await found).toBe(3);
  expect(disturbed).toEqual([0.5, 0.2]);
});

it('is content with the least disturbed where it is never left alone', async () => {
  const { found, disturbed } = machine([50, 20, 9, 30, 40, 60]);
  expect(await found).toBe(3);
  expect(disturbed).toHaveLength(6);
});

it('reads what Linux tells, and nothing where there is nothing to read', () => {
  expect(cpuTimes('cpu  10 1 20 300 4 5 6 70 8 9\ncpu0 1 2 3\n')).toEqual({ all: 416, stolen: 70 });
  expect(cpuTimes('')).toEqual({ all: 0, stolen: 0 });
});
