import { expect, it } from 'vitest';
import { maxClientConnections, openFileLimitProblems } from './open-file-limit.ts';

it('reserves handles for other open files', () => {
  expect(maxClientConnections(10_000, 1024)).toBe(768);
  expect(maxClientConnections(500, 1024)).toBe(500);
  expect(maxClientConnections(10_000, 64)).toBe(16);
  expect(maxClientConnections(10_000, Number.POSITIVE_INFINITY)).toBe(10_000);
});

it('reads the limit of this system', () => {
  expect(maxClientConnections(20)).toBeLessThanOrEqual(20);
});

it('reports a limit that is too low for the engine and its gateway', () => {
  expect(openFileLimitProblems(24)).toEqual([
    expect.stringMatching(/open files is 24.*at least 64.*ulimit -n/),
  ]);
  expect(openFileLimitProblems(64)).toEqual([]);
  expect(openFileLimitProblems()).toEqual([]);
});
