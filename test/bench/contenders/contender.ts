import { readFileSync } from 'node:fs';
import type { Stub } from '../start-stub.ts';

/** One way to the same upstream, as its clients see it. */
export interface Contender {
  readonly port: number;
  /** What its clients send besides. */
  readonly headers: readonly string[];
  /** Secrets of its keys, one on each line. */
  readonly keyFile: string | undefined;
  /** The process whose CPU and memory are counted. */
  readonly pid: number;
}

export interface RunningContender extends Contender, AsyncDisposable {}

export type StartContender = (stub: Stub) => Promise<RunningContender>;

/** For clients with a single key. */
export function firstSecretOf({ keyFile }: Pick<Contender, 'keyFile'>): string | undefined {
  return keyFile === undefined ? undefined : readFileSync(keyFile, 'utf8').split('\n')[0];
}
