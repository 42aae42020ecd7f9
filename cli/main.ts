import { Command } from 'commander';
import packageFile from '../package.json' with { type: 'json' };
import { commands } from './commands.ts';
import { exitSoon } from './output.ts';
import { runCommand } from './run-command.ts';

const notes = `
"corral help COMMAND" explains a command. Those for a running gateway find it by HOST and PORT, or by --gateway.`;

/** Runs `corral` with the arguments after its name, and sets the exit status. */
export async function main(args: readonly string[]): Promise<void> {
  const words = commandLine(args);
  if (words[0] !== undefined && !services.includes(words[0])) endWithReader();
  const code = await runCommand(await createProgram(words[0]), words);
  if (code !== 0) process.exitCode = code;
  if (process.exitCode !== undefined && process.exitCode !== 0) exitSoon();
}

/** Nobody may read their log, and they go on. */
const services = ['serve', 'gateway', 'runpod-worker'];

/** `corral keys list | head` ends quietly when `head` has enough. A full disk is an error. */
function endWithReader(): void {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit();
    process.stderr.write(`error: the output cannot be written (${message})\n`);
    process.exit(1);
  });
}

/** `help` and `version` are words in other programs, too. Without any word, there is nothing to do but to help. */
function commandLine([name, ...rest]: readonly string[]): readonly string[] {
  if (name === 'version') return ['--version', ...rest];
  if (name === 'help' && rest[0] !== undefined && rest[0] in commands) return [...rest, '--help'];
  if (name === 'help') return rest.length === 0 ? ['--help'] : rest;
  return name === undefined ? ['--help'] : [name, ...rest];
}

async function createProgram(named: string | undefined): Promise<Command> {
  const program = new Command('corral')
    .description('Serve GGUF models: supervised llama-servers behind an OpenAI-compatible gateway.')
    .version(packageFile.version, '-V, --version')
    .addHelpText('after', notes);
  for (const [name, { description, load }] of Object.entries(commands))
    program.addCommand(name === named ? await load() : new Command(name).description(description));
  return program.showHelpAfterError('("corral help" lists all commands)');
}
