import { expect, it } from 'vitest';
import { isGatewayHung, nextUnresponsiveness, type Unresponsiveness } from './gateway-hang.ts';
import type { GatewayProbeResult } from './probe-gateway.ts';

const longestStepMs = 2000;

/** The silence after looks at the given times. */
function after(
  ...looks: readonly (readonly [atMs: number, sight: GatewayProbeResult | undefined])[]
): Unresponsiveness {
  return looks.reduce<Unresponsiveness>(
    (silence, [at, sight]) => nextUnresponsiveness(silence, sight, at, longestStepMs),
    {
      ms: 0,
      at: 0,
    },
  );
}

it('silence grows while an answer is awaited or refused, and ends with any answer', () => {
  expect(after([1000, undefined], [2000, undefined], [3000, 'silent']).ms).toBe(3000);
  expect(after([1000, undefined], [2000, 'silent'], [2500, 'alive']).ms).toBe(0);
  expect(after([1000, 'alive'], [2000, undefined]).ms).toBe(1000);
});

it('what could not be asked says nothing, neither for nor against', () => {
  expect(after([1000, 'silent'], [2000, 'blind'], [3000, 'blind'], [4000, 'silent']).ms).toBe(2000);
});

it('an hour in which nobody could look is no hour of silence', () => {
  expect(after([1000, undefined], [3_601_000, undefined], [3_602_000, undefined]).ms).toBe(4000);
});

it.each([
  { ms: 119_000, hangTimeoutMs: 120_000, wasUp: true, isHung: false },
  { ms: 120_000, hangTimeoutMs: 120_000, wasUp: true, isHung: true },
  { ms: 4000, hangTimeoutMs: 1000, wasUp: true, isHung: false },
  { ms: 5000, hangTimeoutMs: 1000, wasUp: true, isHung: true },
  { ms: 59_000, hangTimeoutMs: 1000, wasUp: false, isHung: false },
  { ms: 60_000, hangTimeoutMs: 1000, wasUp: false, isHung: true },
  { ms: 3_600_000, hangTimeoutMs: 0, wasUp: true, isHung: false },
])('a gateway is given up on no sooner than it was noticed: %j', ({ ms, hangTimeoutMs, wasUp, isHung }) => {
  expect(isGatewayHung({ ms, at: 0 }, hangTimeoutMs, wasUp)).toBe(isHung);
});
