import { spawn } from 'node:child_process';

/**
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null, output: string, wasSignalled: boolean }} ProcessResult
 * `wasSignalled`: a signal was forwarded to the process.
 */

const forwarded = /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** A terminal signals the process group, and npm forwards the signal again: within this many ms, an equal signal is a duplicate. */
const duplicateMs = 500;

/**
 * Runs a command to its end, in a separate process group, so that it receives each signal once, through us.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, quiet?: boolean, toStderr?: boolean }} options With `quiet`, its output is returned, not shown; with
 *   `toStderr` its output goes to stderr, so that our stdout contains only our own output.
 * @returns {Promise<ProcessResult>}
 */
export function run(command, args, { cwd, env = process.env, quiet = false, toStderr = false }) {
  return new Promise((resolve, reject) => {
    const shown = /** @type {const} */ (['inherit', toStderr ? 2 : 'inherit', 'inherit']);
    const stdio = quiet ? /** @type {const} */ (['ignore', 'pipe', 'pipe']) : shown;
    const child = spawn(command, args, { cwd, env, stdio, detached: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const forwarding = forwardSignals(child);
    child.on('error', (error) => {
      forwarding.stop();
      reject(error);
    });
    child.on('close', (code, signal) => {
      forwarding.stop();
      resolve({ code, signal, output, wasSignalled: forwarding.wasSignalled() });
    });
  });
}

/** @param {import('node:child_process').ChildProcess} child */
function forwardSignals(child) {
  /** @type {Map<string, number>} */
  const lastForwarded = new Map();
  const listeners = forwarded.map((signal) => {
    const forward = () => {
      const now = performance.now();
      if (now - (lastForwarded.get(signal) ?? Number.NEGATIVE_INFINITY) < duplicateMs) return;
      lastForwarded.set(signal, now);
      child.kill(signal);
    };
    process.on(signal, forward);
    return () => process.off(signal, forward);
  });
  return {
    wasSignalled: () => lastForwarded.size > 0,
    stop() {
      for (const stop of listeners) stop();
    },
  };
}

/**
 * Ends this process in the same way as the other one: by the same signal, or with the same exit code.
 * @param {ProcessResult} result
 * @returns {never}
 */
export function endLike({ code, signal }) {
  if (signal) process.kill(process.pid, signal);
  process.exit(code ?? 1);
}
