/** `corral keys …` alone. */
import { keysCommand } from '../../../cli/keys/keys-command.ts';
import { runCommand } from '../../../cli/run-command.ts';

process.exitCode = await runCommand(keysCommand(), process.argv.slice(2));
