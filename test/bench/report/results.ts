import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../../scripts/project-folders.ts';
import type { Findings } from '../checks/check.ts';
import type { LoadResults } from './tables.ts';

/** The last results of each load and check on this machine. The page is made of them. */
export interface BenchResults {
  readonly loads: Readonly<Record<string, Dated<LoadResults>>>;
  readonly checks: Readonly<Record<string, Dated<Findings>>>;
}

export interface Dated<T> {
  readonly date: string;
  /** Rounds and seconds. */
  readonly method: string;
  readonly results: T;
}

const file = join(cacheFolder, 'bench', 'results.json');

export function readResults(): BenchResults {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as BenchResults;
  } catch {
    return { loads: {}, checks: {} };
  }
}

/** Replaces earlier results of the same loads and checks. */
export function saveResults(added: Partial<BenchResults>): void {
  const before = readResults();
  const all = { loads: { ...before.loads, ...added.loads }, checks: { ...before.checks, ...added.checks } };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(all));
}

export const dated = <T>(results: T, method: string): Dated<T> => ({
  date: new Date().toISOString().slice(0, 10),
  method,
  results,
});
