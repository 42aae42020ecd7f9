import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { redactArguments } from './redact-secrets.ts';

export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Receives the lines of stdout, which then do not count as last lines; without it they are handled like those of stderr. */
  readonly onStdoutLine?: (line: string) => void;
  readonly onLine: (line: string) => void;
  /** Returns the part of a line that may be kept and shown; undefined if there is none. */
  readonly filter?: (line: string) => string | undefined;
  /** Removes secrets from output and arguments. */
  readonly redact?: (text: string) => string;
  /** Opens an IPC channel to the child, which has to be a Node process, and receives its messages. */
  readonly onMessage?: ((message: unknown) => void) | undefined;
  /** For a child that ends when its stdin is closed. Nothing is written there. */
  readonly holdStdinOpen?: boolean;
}

/** How a child exited, in one format for all cases. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not be started. */
  readonly spawnError: Error | undefined;
  /** Without secrets, like the command line. */
  readonly lastLines: readonly string[];
  readonly commandLine: readonly string[];
  readonly ranForMs: number;
}

export interface Child {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined;
  readonly exited: Promise<ChildExit>;
  /** Sends a signal to the child itself. */
  signal(signal: NodeJS.Signals): void;
  /** Has no effect without a channel, or after it was closed. */
  send(message: object): void;
  /** Kills the child and everything it has started. */
  kill(): void;
}

/** Enough for the output before the stack traces of a hundred threads. */
const maxKeptLines = 300;
/** How long to wait for output after the exit, if another process still holds the pipe open. */
const trailingOutputMs = 500;

/** With util-linux's setpriv, the kernel kills a child when we die, even by `kill -9`. */
const setpriv =
  process.platform === 'linux' ? ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync) : undefined;

/**
 * Starts a child in its own process group: the Ctrl-C of a terminal reaches only us, and the end of the child also ends
 * what it has started.
 */
export function spawnChild(options: SpawnOptions): Child {
  const { command, args, env, onLine, onStdoutLine, onMessage, holdStdinOpen } = options;
  const { filter = String, redact = String } = options;
  const startedAt = performance.now();
  const lastLines: string[] = [];
  const [file = command, ...rest] = setpriv
    ? [setpriv, '--pdeathsig', 'SIGKILL', command, ...args]
    : [command, ...args];
  const subprocess = spawn(file, rest, {
    env: { ...env },
    detached: true,
    stdio: [holdStdinOpen ? 'pipe' : 'ignore', 'pipe', 'pipe', ...(onMessage ? ['ipc' as const] : [])],
  });
  if (onMessage) subprocess.on('message', onMessage);
  subprocess.stdin?.on('error', () => {});
  const keepLine = (raw: string) => {
    const filtered = filter(raw);
    if (filtered === undefined) return;
    const line = redact(filtered);
    if (lastLines.push(line) > maxKeptLines) lastLines.shift();
    onLine(line);
  };
  const createExit = (how: Pick<ChildExit, 'code' | 'signal' | 'spawnError'>): ChildExit => ({
    ...how,
    lastLines,
    commandLine: redactArguments([command, ...args], redact),
    ranForMs: Math.round(performance.now() - startedAt),
  });
  if (subprocess.stdout) readLines(subprocess.stdout, onStdoutLine ?? keepLine);
  if (subprocess.stderr) readLines(subprocess.stderr, keepLine);

  const kill = () => {
    if (subprocess.pid !== undefined) killGroup(subprocess.pid);
  };
  const exited = new Promise<ChildExit>((resolve) => {
    subprocess.once('error', (spawnError) => {
      if (subprocess.pid === undefined) resolve(createExit({ code: null, signal: null, spawnError }));
    });
    subprocess.once('exit', (code, signal) => {
      kill();
      const exit = createExit({ code, signal, spawnError: undefined });
      const timer = setTimeout(() => resolve(exit), trailingOutputMs);
      subprocess.once('close', () => {
        clearTimeout(timer);
        resolve(exit);
      });
    });
  });
  return {
    pid: subprocess.pid,
    exited,
    signal(signal) {
      if (subprocess.exitCode === null && subprocess.signalCode === null) subprocess.kill(signal);
    },
    send(message) {
      // A channel may close at any moment. Messages to a child that exits do not matter.
      if (subprocess.connected) subprocess.send(message, () => {});
    },
    kill,
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/** A child that failed before it was spawned. */
export function failedToStart(spawnError: Error): Child {
  const exit = { code: null, signal: null, spawnError, lastLines: [], commandLine: [], ranForMs: 0 };
  return { pid: undefined, exited: Promise.resolve(exit), signal() {}, send() {}, kill() {} };
}

/** Longer lines are cut, so that a child cannot exhaust the memory of the supervisor. */
const maxLineLength = 8192;

/** Calls `onLine` for every line of a text stream, also for a last one without a line end. */
function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = (parts.pop() ?? '').slice(0, maxLineLength);
    for (const part of parts) onLine(part.replace(/\r$/, '').slice(0, maxLineLength));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
