import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { ExitStatus } from '../run-command.ts';
import type { Agent, Launch } from './agents.ts';

/**
 * Runs the agent on this terminal. The key is in its environment alone: not in its arguments, which other users can see, and
 * in no file. Throws an ExitStatus if it fails.
 */
export async function runAgent(
  { title, install }: Agent,
  { command, args, env, keyVariable, unset }: Launch,
  { key, moreArgs }: { readonly key: string | undefined; readonly moreArgs: readonly string[] },
): Promise<void> {
  const inherited = Object.entries(process.env).filter(([name]) => !unset.includes(name));
  const child = spawn(command, [...args, ...moreArgs], {
    stdio: 'inherit',
    env: {
      ...Object.fromEntries(inherited),
      ...env,
      ...(keyVariable !== undefined && key !== undefined && { [keyVariable]: key }),
    },
  });
  // Ctrl-C reaches the agent as well, which decides what it means.
  const ignore = () => {};
  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGINT', ignore).on('SIGQUIT', ignore).on('SIGTERM', forward).on('SIGHUP', forward);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const status = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    if (status !== 0) throw new ExitStatus(status, `${title} ended with status ${status}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`${command} is not on the PATH; install ${title}: ${install}`, { cause: error });
  } finally {
    process.off('SIGINT', ignore).off('SIGQUIT', ignore).off('SIGTERM', forward).off('SIGHUP', forward);
  }
}
