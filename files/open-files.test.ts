import { expect, it } from 'vitest';
import { connectionsThatFit, openFilesProblems } from './open-files.ts';

it('leaves handles for what else is open', () => {
  expect(connectionsThatFit(10_000, 1024)).toBe(768);
  expect(connectionsThatFit(500, 1024)).toBe(500);
  expect(connectionsThatFit(10_000, 64)).toBe(16);
  expect(connectionsThatFit(10_000, Number.POSITIVE_INFINITY)).toBe(10_000);
});

it('reads what this system allows', () => {
  expect(connectionsThatFit(20)).toBeLessThanOrEqual(20);
});

it('refuses a start under a limit that leaves no room for the engine and its gateway', () => {
  expect(openFilesProblems(24)).toEqual([expect.stringMatching(/24 open files.*at least 64.*ulimit -n/)]);
  expect(openFilesProblems(64)).toEqual([]);
  expect(openFilesProblems()).toEqual([]);
});
