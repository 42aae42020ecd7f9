import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../../scripts/project-folders.ts';
import type { Findings } from '../checks/check.ts';
import type { LoadResults } from './tables.ts';

/** The last results of each load and check on this machine. The page is made of them. */
export interface BenchResults {
  readonly loads: Readonly<Record<string, Dated<LoadResults>>>;
  readonly checks: Readonly<Record<string, Dated<Findings>>>;
  /** How the contenders warmed up. */
  readonly warmUps?: Dated<Findings>;
}

/** A column of `warmUps`. */
export const REQUESTS_UNTIL_WARM = 'requests until within 20 %';

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
    return noResults;
  }
}

export function writeResults(results: BenchResults): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(results));
}

export const noResults: BenchResults = { loads: {}, checks: {} };

/** Results of the same loads and checks are replaced. */
export function addResults(before: BenchResults, added: Partial<BenchResults>): BenchResults {
  const [loads, checks] = [
    { ...before.loads, ...added.loads },
    { ...before.checks, ...added.checks },
  ];
  return { ...before, ...added, loads, checks };
}

export const dated = <T>(results: T, method: string): Dated<T> => ({
  date: new Date().toISOString().slice(0, 10),
  method,
  results,
});
