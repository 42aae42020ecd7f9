import { join } from 'node:path';
import type { Command } from 'commander';
import { execa } from 'execa';
import { vi } from 'vitest';
import { runCommand } from '../../cli/run-command.ts';
import { projectFolder } from '../../scripts/project-folders.ts';

export interface CorralOutcome {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Runs `corral` as a process, with these variables and no others. */
export async function runCorral(args: readonly string[], env: Env = {}): Promise<CorralOutcome> {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(projectFolder, 'cli/corral.ts'), ...args],
    { env: { PATH: process.env.PATH, ...env }, extendEnv: false, reject: false, stdin: 'ignore' },
  );
  return { status: exitCode, stdout, stderr };
}

/** Runs one command of `corral` inside this process, which is faster. Variables that are undefined are unset. */
export async function runInProcess(
  command: Command,
  args: readonly string[],
  env: Env,
): Promise<CorralOutcome> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const [stdout, stderr] = [collect(process.stdout), collect(process.stderr)];
  try {
    const status = await runCommand(command, args);
    return { status, stdout: stdout(), stderr: stderr() };
  } finally {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  }
}

function collect(stream: NodeJS.WriteStream): () => string {
  let text = '';
  vi.spyOn(stream, 'write').mockImplementation((chunk) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return true;
  });
  return () => text.replace(/\n$/, '');
}
