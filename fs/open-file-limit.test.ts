import { expect, it } from 'vitest';
import { maxClientConnections, openFileLimitProblems } from './open-file-limit.ts';

it('leaves handles for what else is open', () => {
  expect(maxClientConnections(10_000, 1024)).toBe(768);
  expect(maxClientConnections(500, 1024)).toBe(500);
  expect(maxClientConnections(10_000, 64)).toBe(16);
  expect(maxClientConnections(10_000, Number.POSITIVE_INFINITY)).toBe(10_000);
});

it('reads what this system allows', () => {
  expect(maxClientConnections(20)).toBeLessThanOrEqual(20);
});

it('refuses a start under a limit that leaves no room for the engine and its gateway', () => {
  expect(openFileLimitProblems(24)).toEqual([
    expect.stringMatching(/open files is 24.*at least 64.*ulimit -n/),
  ]);
  expect(openFileLimitProblems(64)).toEqual([]);
  expect(openFileLimitProblems()).toEqual([]);
});
