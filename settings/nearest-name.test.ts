import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

const fields = ['id', 'models', 'scopes', 'expires', 'note', 'requestsPerMinute', 'tokensPerDay'];

it.each([
  ['modles', 'models'],
  ['omdels', 'models'],
  ['scopse', 'scopes'],
  ['ntoe', 'note'],
  ['expire', 'expires'],
  ['requsetsPerMinute', 'requestsPerMinute'],
  ['reqeustsPreMinute', 'requestsPerMinute'],
  ['requests_per_minute', 'requestsPerMinute'],
])('%j is taken for %j: two letters that are swapped are one mistake', (name, meant) => {
  expect(nearestName(name, fields)).toBe(meant);
});

it.each(['', 'x', 'nteo', 'mdoesl', 'selmod', 'tokens', 'limit', 'a'.repeat(1_000_000)])(
  'names like %.20j are similar to none',
  (name) => {
    expect(nearestName(name, fields)).toBeUndefined();
  },
);
