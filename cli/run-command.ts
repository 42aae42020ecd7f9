import { type Command, CommanderError } from 'commander';

/** The command line is right in form but asks for what makes no sense: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'WrongUse';
}

/**
 * Runs `command` on the arguments after the program's name and answers the exit status: 0 done, 1 failed, 2 wrong use.
 * Failures are told on stderr in one line each.
 */
export async function runCommand(command: Command, args: readonly string[]): Promise<0 | 1 | 2> {
  throwInsteadOfExiting(command);
  try {
    await command.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`error: ${(error as Error).message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  for (const verb of command.commands) throwInsteadOfExiting(verb);
}
