import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';

export interface SmiRun {
  /** The exit code; null if a signal ended the process or it could not be started. */
  readonly ended: Promise<number | null>;
  kill(): void;
}

/** Environment variables passed to nvidia-smi: none of them is secret. */
const passedVariables = ['PATH', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES', 'NVIDIA_VISIBLE_DEVICES'];

/** Longer lines do not come from nvidia-smi: they are cut. */
const maxLineLength = 4096;

/** With setpriv of util-linux the kernel kills the child when we die; without it, its next write fails on a closed pipe. */
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(
  (path) => process.platform === 'linux' && existsSync(path),
);

/** The program's file, as a shell would find it; undefined if there is none that is executable. */
export function findProgram(name: string, searchPath: string | undefined): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  const folders = (searchPath ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts nvidia-smi. Lines of stdout and stderr are treated alike, because drivers write errors to one or the other. */
export function runSmi(file: string, args: readonly string[], onLine: (line: string) => void): SmiRun {
  const [command = file, ...rest] = setpriv
    ? [setpriv, '--pdeathsig', 'SIGKILL', file, ...args]
    : [file, ...args];
  const child = spawn(command, rest, { env: buildEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) readLines(stream, onLine);
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  return { ended: waitForExit(child).finally(() => process.off('exit', kill)), kill };
}

function buildEnvironment(): Record<string, string> {
  const passed = passedVariables.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), LC_ALL: 'C' };
}

/** Settles when the process has exited and all its output has been read. */
function waitForExit(child: ChildProcess): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('error', () => resolve(null));
  child.once('close', resolve);
  return promise;
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxLineLength);
    for (const line of lines) onLine(line.trimEnd().slice(0, maxLineLength));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

export interface SmiRunResult {
  /** How long a sample stays valid. */
  readonly freshForMs: number;
  readonly ranForMs: number;
  readonly producedSamples: boolean;
  /** The driver rejected a field, so the next run uses another query. */
  readonly queryChanged: boolean;
}

const firstDelayMs = 1000;
const maxDelayMs = 60_000;
/** A run that produced samples and lasted this long resets the failure count. */
const stableAfterMs = 60_000;

export interface Restart {
  readonly delayMs: number;
  /** Exits since the last stable run. */
  readonly failures: number;
}

/**
 * When to restart nvidia-smi: at once with a changed query, else after 1, 2, 4 … 60 s. A run that produced samples is
 * restarted before they expire, however often it exits: with several GPUs, a lost one may end each run.
 */
export function nextRestart(
  { ranForMs, producedSamples, queryChanged, freshForMs }: SmiRunResult,
  failures: number,
): Restart {
  if (queryChanged) return { delayMs: 0, failures };
  const before = producedSamples && ranForMs >= stableAfterMs ? 0 : failures;
  const limitMs = producedSamples ? Math.min(freshForMs / 4, maxDelayMs) : maxDelayMs;
  return {
    delayMs: Math.min(firstDelayMs * 2 ** Math.min(before, 10), limitMs),
    failures: before + 1,
  };
}
