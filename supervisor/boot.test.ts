import { expect, it } from 'vitest';
import { formatBootTable, startBoot } from './boot.ts';

it('the boot table shows the gateway beside the phases of the engine', () => {
  let now = 0;
  const boot = startBoot(() => now);
  const reach = (at: number, ...phase: Parameters<typeof boot.markReached>) => {
    now = at;
    boot.markReached(...phase);
  };
  expect(boot.phase).toBe('initial');
  reach(12, 'process up');
  reach(200, 'bound');
  reach(340, 'gateway up');
  reach(61_000, 'loaded');
  expect(boot.phase).toBe('loaded');
  reach(61_100, 'first token', false);
  reach(90_000, 'loaded');
  expect(formatBootTable(boot.times).split('\n')).toEqual([
    '  phase            after      took',
    '  gateway up      0.34 s',
    '  process up      0.01 s    0.01 s',
    '  bound           0.20 s    0.19 s',
    '  loaded         61.00 s   60.80 s',
    '  first token  not applicable',
  ]);
});
