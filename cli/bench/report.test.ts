import { describe, expect, it } from 'vitest';
import { type Load, planSteps } from './report.ts';

const loads: Load[] = [
  { kind: 'closed', concurrency: 4 },
  { kind: 'open', rate: 2.5, arrivals: 'poisson' },
  { kind: 'open', rate: 2.5, arrivals: 'uniform' },
];

describe('planSteps', () => {
  it('combines every load with every prompt length, with unique names', () => {
    expect(planSteps(loads, [16, 512]).map(({ name }) => name)).toEqual([
      'concurrency 4, prompt 16',
      'rate 2.5/s, prompt 16',
      'rate 2.5/s uniform, prompt 16',
      'concurrency 4, prompt 512',
      'rate 2.5/s, prompt 512',
      'rate 2.5/s uniform, prompt 512',
    ]);
  });

  it('has one step per load for prompts from a file', () => {
    expect(planSteps(loads, null).map(({ name, promptTokens }) => [name, promptTokens])).toEqual([
      ['concurrency 4', null],
      ['rate 2.5/s', null],
      ['rate 2.5/s uniform', null],
    ]);
  });
});
