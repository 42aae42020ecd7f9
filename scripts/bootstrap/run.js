import { spawn } from 'node:child_process';

/** @typedef {{ code: number | null, signal: NodeJS.Signals | null, output: string, wasTold: boolean }} Ending `wasTold`: a signal was passed on to it. */

const forwarded = /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** A terminal tells a whole group and npm tells it again: within this many ms, the same signal is the same wish. */
const sameWish = 500;

/**
 * Runs a command to its end. It is a group of its own, so that a signal reaches it once, through us.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, quiet?: boolean, toStderr?: boolean }} options With `quiet`, its output is kept, not shown; with
 *   `toStderr` none of it stands among what whoever called wants to read from us.
 * @returns {Promise<Ending>}
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
      resolve({ code, signal, output, wasTold: forwarding.wasTold() });
    });
  });
}

/** @param {import('node:child_process').ChildProcess} child */
function forwardSignals(child) {
  /** @type {Map<string, number>} */
  const told = new Map();
  const listeners = forwarded.map((signal) => {
    const tell = () => {
      const now = performance.now();
      if (now - (told.get(signal) ?? Number.NEGATIVE_INFINITY) < sameWish) return;
      told.set(signal, now);
      child.kill(signal);
    };
    process.on(signal, tell);
    return () => process.off(signal, tell);
  });
  return {
    wasTold: () => told.size > 0,
    stop() {
      for (const stop of listeners) stop();
    },
  };
}

/**
 * Ends this process the way that the other one ended.
 * @param {Ending} ending
 * @returns {never}
 */
export function endLike({ code, signal }) {
  if (signal) process.kill(process.pid, signal);
  process.exit(code ?? 1);
}
