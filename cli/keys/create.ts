import { Command } from 'commander';
import { addKey } from '../../keys/change-keys.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { createKey } from '../../keys/secret.ts';
import { jsonOption, keyId } from '../options.ts';
import { checkModels } from './check-models.ts';
import { fileOption, resolveKeyFile } from './options.ts';
import { printSecret, quietOption } from './print-secret.ts';
import { createOptions, givenProperties, type KeyProperties } from './property-options.ts';

interface CreateOptions extends KeyProperties {
  readonly file?: string;
  readonly json?: true;
  readonly quiet?: true;
}

const examples = `
Examples:
  corral keys create app                                 an inference key that never expires
  corral keys create batch --priority low --tpd 2000000  low priority, two million tokens per day
  corral keys create guest --expires 30d --rpm 20        20 requests per minute, for 30 days
  corral keys create webui --users-from X-OpenWebUI-User-Id --user-tpd 200000
                                                         one key for all people behind Open WebUI
  corral keys create ops --scopes metrics,admin          metrics and administration, no inference
  SECRET=$(corral keys create ci --quiet)                for scripts

With several models, --models takes their ids. The key uses an alias with those models of it that it may use.
The secret is printed once, to stdout. Only its SHA-256 is stored. A running gateway accepts the key within a second.`;

export function createCommand(): Command {
  const command = new Command('create')
    .description('create a key and print its secret once')
    .argument('<id>', 'id of the key: letters, digits, - and _', keyId);
  for (const option of createOptions()) command.addOption(option);
  return command
    .addOption(fileOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples)
    .action(create);
}

async function create(id: string, given: CreateOptions): Promise<void> {
  const options = { ...given, ...Object.fromEntries(givenProperties(given)) };
  const { rpm, tpm, tpd, concurrent, scopes, models, usersFrom, expires, priority, note } = options;
  const limits = { requestsPerMinute: rpm, tokensPerMinute: tpm, tokensPerDay: tpd, concurrent };
  const userLimits = {
    requestsPerMinute: options.userRpm,
    tokensPerMinute: options.userTpm,
    tokensPerDay: options.userTpd,
    concurrent: options.userConcurrent,
  };
  const properties = { scopes, models, expires, priority, note, limits, usersFrom, userLimits };
  const minted = createKey(id, properties, Date.now());
  const file = resolveKeyFile(options.file);
  const unknown = await checkModels(models);
  const { warnings } = await updateKeyFile(file, (keys) => addKey(keys, minted.key));
  printSecret(minted, [...unknown, ...warnings, `Created key "${id}" in ${file}.`], options);
}
