export interface ComparedLoad {
  readonly title: string;
  readonly concurrency: number;
  readonly tokens: number;
  /** Between two tokens. */
  readonly delayMs: number;
  readonly isStream: boolean;
  readonly promptBytes: number;
}

export const comparedLoads: readonly ComparedLoad[] = [
  {
    title: 'Plain, one connection, 1 KB',
    concurrency: 1,
    tokens: 16,
    delayMs: 0,
    isStream: false,
    promptBytes: 900,
  },
  {
    title: 'Plain, 64 connections, 1 KB',
    concurrency: 64,
    tokens: 16,
    delayMs: 0,
    isStream: false,
    promptBytes: 900,
  },
  {
    title: 'Plain, 64 connections, 32 KB',
    concurrency: 64,
    tokens: 16,
    delayMs: 0,
    isStream: false,
    promptBytes: 32_000,
  },
  {
    title: 'Streams, 64 of 200 tokens, as fast as they go',
    concurrency: 64,
    tokens: 200,
    delayMs: 0,
    isStream: true,
    promptBytes: 900,
  },
  {
    title: 'Streams, 128 of 50 tokens, one each 20 ms',
    concurrency: 128,
    tokens: 50,
    delayMs: 20,
    isStream: true,
    promptBytes: 900,
  },
];
