import { type Command, CommanderError } from 'commander';

/** The command line is invalid: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command did what it should, and its result is not a plain success. */
export class ExitStatus extends Error {
  override readonly name = 'ExitStatus';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Runs `command` with the arguments after the program name and returns the exit status: 0 success, 1 failure, 2 usage
 * error, or that of an ExitStatus. Failures are printed to stderr, one line each.
 */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  throwInsteadOfExiting(command);
  try {
    await command.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof ExitStatus) {
      process.stderr.write(`${error.message}\n`);
      return error.status;
    }
    process.stderr.write(`error: ${(error as Error).message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  for (const verb of command.commands) throwInsteadOfExiting(verb);
}
