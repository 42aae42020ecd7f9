import { Command, InvalidArgumentError } from 'commander';
import { readKeyFile } from '../../keys/key-file.ts';
import { userId } from '../../keys/users.ts';
import { writeStderr, writeStdout } from '../output.ts';
import { findFileKey } from './find-key.ts';
import { fileOption, resolveKeyFile } from './options.ts';

const examples = `
Examples:
  corral keys user-id webui 6f1c2a9e-0b1d-4a57-9c3e-2f7d5b8e1a40
  corral keys usage webui --by-user | grep $(corral keys user-id webui 6f1c2a9e-0b1d-4a57-9c3e-2f7d5b8e1a40)

The id is a hash of the id of the key and the value that its client sends in the header of --users-from. It is what the usage,
the log, the dashboard and traces show.`;

export function userIdCommand(): Command {
  return new Command('user-id')
    .description('print the id of a user of a key')
    .argument('<id>', 'id of the key')
    .argument('<value>', 'what its client sends in the header of --users-from', headerValue)
    .addOption(fileOption())
    .addHelpText('after', examples)
    .action(printUserId);
}

/** Without the white space that no header value has at its ends. */
function headerValue(text: string): string {
  const value = text.trim();
  if (userId('', Buffer.from(value)) === undefined)
    throw new InvalidArgumentError(
      'It must have 1 to 256 bytes: others count as requests of the key itself.',
    );
  return value;
}

async function printUserId(id: string, value: string, options: { readonly file?: string }): Promise<void> {
  const { keys } = await readKeyFile(resolveKeyFile(options.file));
  const key = findFileKey(keys, id);
  if (key.usersFrom === null)
    writeStderr(
      `Key "${id}" does not tell its users apart; "corral keys update ${id} --users-from HEADER" changes that.`,
    );
  writeStdout(userId(key.id, Buffer.from(value)) ?? '');
}
