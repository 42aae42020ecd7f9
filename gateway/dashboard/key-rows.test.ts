import { expect, it } from 'vitest';
import { type Key, keyDefaults } from '../../keys/key.ts';
import { fingerprint } from '../../keys/secret.ts';
import { noUsage } from '../api/usage.ts';
import { topKeys } from './key-rows.ts';

const key = (id: string, tokensPerDay?: number): Key => ({
  ...{ ...keyDefaults, id, hint: '', fingerprint: fingerprint(id) },
  limits: { tokensPerDay },
});
const used = {
  a: { requests: 2, input: 10, output: 5, machineMs: 1_800_000 },
  b: { requests: 9, input: 100 },
};
const today = (id: string) => ({ ...noUsage, ...used[id as keyof typeof used] });
const seen = (id: string) => (id === 'a' ? { lastUsed: 7 } : undefined);
const options = { identities: [], today, seen, costByKey: new Map(), now: 0 };

it('lists the keys with the highest usage first, with budget and share of the cost', () => {
  const listed = topKeys({
    ...options,
    keys: [key('a', 60), key('b'), key('idle'), key('planned', 9)],
    costPerHour: 3,
  });
  expect(listed.map(({ id, tokens, budget, cost }) => [id, tokens, budget, cost])).toEqual([
    ['b', 100, null, 0],
    ['a', 15, 60, 1.5],
    ['planned', 0, 9, 0],
  ]);
  expect(listed.map(({ lastUsed }) => lastUsed)).toEqual([null, 7, null]);
});

it('lists at most twelve keys, and no cost if none is configured', () => {
  const keys = Array.from({ length: 30 }, (_, n) => key(`k${n}`, 100));
  const listed = topKeys({ ...options, keys, costPerHour: undefined });
  expect(listed).toHaveLength(12);
  expect(listed[0]?.cost).toBeNull();
});

it('lists identities among the keys, without the time until which they are remembered', () => {
  const listed = topKeys({
    ...options,
    keys: [{ ...key('a'), expires: 1000 }],
    identities: [{ ...key('b'), expires: 1000 }],
    costPerHour: undefined,
  });
  expect(listed.map(({ id, expires, expiresSoon }) => [id, expires, expiresSoon])).toEqual([
    ['b', null, false],
    ['a', 1000, true],
  ]);
});
