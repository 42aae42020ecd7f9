import { expect, it } from 'vitest';
import { isGatewayHung, nextUnresponsiveness, type Unresponsiveness } from './gateway-monitor.ts';
import type { GatewayProbeResult } from './probe-gateway.ts';

const maxStepMs = 2000;

/** The state after probes at the given times. */
function after(
  ...probes: readonly (readonly [atMs: number, result: GatewayProbeResult | undefined])[]
): Unresponsiveness {
  return probes.reduce<Unresponsiveness>(
    (state, [at, result]) => nextUnresponsiveness(state, result, at, maxStepMs),
    { ms: 0, at: 0 },
  );
}

it('silence grows while a probe is pending or the connection is refused, and ends with any response', () => {
  expect(after([1000, undefined], [2000, undefined], [3000, 'silent']).ms).toBe(3000);
  expect(after([1000, undefined], [2000, 'silent'], [2500, 'alive']).ms).toBe(0);
  expect(after([1000, 'alive'], [2000, undefined]).ms).toBe(1000);
});

it('a probe that itself failed changes nothing', () => {
  expect(after([1000, 'silent'], [2000, 'unknown'], [3000, 'unknown'], [4000, 'silent']).ms).toBe(2000);
});

it('an hour without any probe does not count as an hour of silence', () => {
  expect(after([1000, undefined], [3_601_000, undefined], [3_602_000, undefined]).ms).toBe(4000);
});

it.each([
  { ms: 119_000, hangTimeoutMs: 120_000, hasResponded: true, isHung: false },
  { ms: 120_000, hangTimeoutMs: 120_000, hasResponded: true, isHung: true },
  { ms: 4000, hangTimeoutMs: 1000, hasResponded: true, isHung: false },
  { ms: 5000, hangTimeoutMs: 1000, hasResponded: true, isHung: true },
  { ms: 59_000, hangTimeoutMs: 1000, hasResponded: false, isHung: false },
  { ms: 60_000, hangTimeoutMs: 1000, hasResponded: false, isHung: true },
  { ms: 3_600_000, hangTimeoutMs: 0, hasResponded: true, isHung: false },
])('a gateway is not hung before it is unresponsive: %j', ({ ms, hangTimeoutMs, hasResponded, isHung }) => {
  expect(isGatewayHung({ ms, at: 0 }, hangTimeoutMs, hasResponded)).toBe(isHung);
});
