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
