import { describe, expect, it } from 'vitest';
import { allMet, atLeast, atMost, between, exactly, formatReport } from './report.ts';

describe('a report', () => {
  const met = { name: 'errors', value: 0, goal: exactly(0) };
  const missed = { name: 'longest wait', value: 12.345, unit: 's', goal: atMost(8) };

  it('is a table with what was met and missed, and the problems below', () => {
    expect(formatReport({ figures: [met, missed, { name: 'requests', value: 200 }], problems: ['x'] })).toBe(
      [
        'figure        value   goal',
        'errors        0       0      met',
        'longest wait  12.3 s  ≤ 8 s  MISSED',
        'requests      200',
        'problem: x',
      ].join('\n'),
    );
  });

  it('is met if each goal is', () => {
    expect(allMet({ figures: [met, { name: 'requests', value: 200 }] })).toBe(true);
    expect(allMet({ figures: [met, missed] })).toBe(false);
  });

  it.each([
    [atMost(1), [1], [1.01, Number.NaN]],
    [atLeast(1), [1], [0.99, Number.NaN]],
    [between(9, 11), [9, 11], [8.9, 11.1, Number.NaN]],
    [exactly(3), [3], [2, Number.NaN]],
  ])('the goal %j has limits', (goal, inside, outside) => {
    expect(inside.filter((value) => !goal.isMet(value))).toEqual([]);
    expect(outside.filter((value) => goal.isMet(value))).toEqual([]);
  });
});
