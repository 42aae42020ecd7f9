import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readLines } from './read-lines.ts';
import { redactArguments } from './redact-secrets.ts';

export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Takes the lines of its stdout, which are then no last words; without it they are handed over like those of stderr. */
  readonly onStdoutLine?: (line: string) => void;
  readonly onLine: (line: string) => void;
  /** Leaves of a line what may be kept and shown; undefined where nothing is left of it. */
  readonly filter?: (line: string) => string | undefined;
  /** What it says, and its arguments, as others may see them. */
  readonly redact?: (text: string) => string;
  /** Given, the child is a Node process with a channel to us, and these are its messages. */
  readonly onMessage?: ((message: unknown) => void) | undefined;
}

/** How a child ended: one shape for good and bad. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not even be started. */
  readonly spawnError: Error | undefined;
  /** Both without secrets. */
  readonly lastLines: readonly string[];
  readonly commandLine: readonly string[];
  readonly ranForMs: number;
}

export interface Child {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined;
  readonly exited: Promise<ChildExit>;
  /** Tells the child itself. */
  signal(signal: NodeJS.Signals): void;
  /** Nothing happens where there is no channel, or none any more. */
  send(message: object): void;
  /** Ends the child and whatever it has started, at once. */
  kill(): void;
}

/** Enough for what was said before the stacks of a hundred threads. */
const maxKeptLines = 300;
/** What a child may still say after its end, should something of its hold the pipe open. */
const trailingOutputMs = 500;

/** Where util-linux's setpriv is, the kernel ends a child when we die, even by `kill -9`. */
const setpriv =
  process.platform === 'linux' ? ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync) : undefined;

/** Starts a child in a process group of its own: a terminal's Ctrl-C reaches us alone, and its end takes all of it along. */
export function spawnChild(spec: SpawnOptions): Child {
  const { command, args, env, onLine, onStdoutLine, onMessage, filter = String, redact = String } = spec;
  const startedAt = performance.now();
  const lastLines: string[] = [];
  const [file = command, ...rest] = setpriv
    ? [setpriv, '--pdeathsig', 'SIGKILL', command, ...args]
    : [command, ...args];
  const subprocess = spawn(file, rest, {
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(onMessage ? ['ipc' as const] : [])],
  });
  if (onMessage) subprocess.on('message', onMessage);
  const keep = (said: string) => {
    const own = filter(said);
    if (own === undefined) return;
    const line = redact(own);
    if (lastLines.push(line) > maxKeptLines) lastLines.shift();
    onLine(line);
  };
  const endOf = (how: Pick<ChildExit, 'code' | 'signal' | 'spawnError'>): ChildExit => ({
    ...how,
    lastLines,
    commandLine: redactArguments([command, ...args], redact),
    ranForMs: Math.round(performance.now() - startedAt),
  });
  if (subprocess.stdout) readLines(subprocess.stdout, onStdoutLine ?? keep);
  if (subprocess.stderr) readLines(subprocess.stderr, keep);

  const kill = () => {
    if (subprocess.pid !== undefined) sendTo(-subprocess.pid, 'SIGKILL');
  };
  const ended = new Promise<ChildExit>((resolve) => {
    subprocess.once('error', (spawnError) => {
      if (subprocess.pid === undefined) resolve(endOf({ code: null, signal: null, spawnError }));
    });
    subprocess.once('exit', (code, signal) => {
      kill();
      const end = endOf({ code, signal, spawnError: undefined });
      const settle = () => resolve(end);
      const impatience = setTimeout(settle, trailingOutputMs);
      subprocess.once('close', () => {
        clearTimeout(impatience);
        settle();
      });
    });
  });
  return {
    pid: subprocess.pid,
    exited: ended,
    signal(signal) {
      if (subprocess.exitCode === null && subprocess.signalCode === null) subprocess.kill(signal);
    },
    send(message) {
      // A channel may close at any moment; what was lost with its end does not matter any more.
      if (subprocess.connected) subprocess.send(message, () => {});
    },
    kill,
  };
}

function sendTo(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // Nothing of it is left.
  }
}

/** A child of which the way was not clear: it has ended before it was started. */
export function failedToStart(spawnError: Error): Child {
  const end = { code: null, signal: null, spawnError, lastLines: [], commandLine: [], ranForMs: 0 };
  return { pid: undefined, exited: Promise.resolve(end), signal() {}, send() {}, kill() {} };
}
