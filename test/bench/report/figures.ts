import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../../scripts/project-folders.ts';
import type { Findings } from '../checks/check.ts';
import type { Measured } from './load-table.ts';

/** What was measured on this machine, each load and check at its last run: what the page is made of. */
export interface Figures {
  readonly loads: Readonly<Record<string, Taken<Measured>>>;
  readonly checks: Readonly<Record<string, Taken<Findings>>>;
}

export interface Taken<T> {
  /** The day. */
  readonly on: string;
  /** How: the rounds, and the seconds of each. */
  readonly how: string;
  readonly what: T;
}

const file = join(cacheFolder, 'bench', 'figures.json');

export function readFigures(): Figures {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Figures;
  } catch {
    return { loads: {}, checks: {} };
  }
}

/** Where something is measured anew it takes the place of what was there. */
export function keepFigures(more: Partial<Figures>): Figures {
  const before = readFigures();
  const now = { loads: { ...before.loads, ...more.loads }, checks: { ...before.checks, ...more.checks } };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(now));
  return now;
}

export const taken = <T>(what: T, how: string): Taken<T> => ({
  on: new Date().toISOString().slice(0, 10),
  how,
  what,
});

/** Of this machine and what runs on it. */
export const machine = () => `${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}`;
