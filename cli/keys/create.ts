import { Command, Option } from 'commander';
import { addKey } from '../../keys/change-keys.ts';
import { keyDefaults, type Priority, priorities, type Scope } from '../../keys/key.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { createKey } from '../../keys/new-key.ts';
import { fileOption, jsonOption, resolveKeyFile } from './key-file-option.ts';
import { expiry, keyId, limit, nameList, scopeList } from './parse-options.ts';
import { printSecret, quietOption } from './print-secret.ts';

interface CreateOptions {
  readonly file?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly scopes: readonly Scope[];
  readonly models: readonly string[];
  readonly rpm?: number;
  readonly tpm?: number;
  readonly tpd?: number;
  readonly concurrent?: number;
  readonly expires: number | null;
  readonly priority: Priority;
  readonly note: string;
}

const examples = `
Examples:
  corral keys create app                                 a key for inference, without an end
  corral keys create batch --priority low --tpd 2000000  waits behind others, two million tokens a day
  corral keys create guest --expires 30d --rpm 20        20 requests a minute, for 30 days
  corral keys create ops --scopes metrics,admin          reads metrics, lists keys, reloads
  SECRET=$(corral keys create ci --quiet)                in a script

The secret is printed once, on stdout; what is kept is its SHA-256. A running gateway knows the key within a second.`;

export function createCommand(): Command {
  return new Command('create')
    .description('make a key and print its secret, once')
    .argument('<id>', 'what to call it: letters, digits, - and _', keyId)
    .addOption(
      new Option('--scopes <list>', 'what it may do, of inference,native,metrics,admin')
        .argParser(scopeList)
        .default(keyDefaults.scopes, 'inference'),
    )
    .addOption(
      new Option('--models <list>', 'public names of the models it may use')
        .argParser(nameList)
        .default(keyDefaults.models, 'all'),
    )
    .option('--rpm <n>', 'requests per minute; 0 is no limit (default: MAX_REQUESTS_PER_MINUTE)', limit)
    .option('--tpm <n>', 'tokens per minute (default: the house limit)', limit)
    .option('--tpd <n>', 'tokens per day, from midnight UTC; 0 is no limit (default: no limit)', limit)
    .option('--concurrent <n>', 'requests at the same time (default: the house limit)', limit)
    .addOption(
      new Option('--expires <when>', '30d, 12h, a date or time (UTC unless it says otherwise), or never')
        .argParser(expiry)
        .default(keyDefaults.expires, 'never'),
    )
    .addOption(
      new Option('--priority <p>', 'its share while requests wait')
        .choices(priorities)
        .default(keyDefaults.priority),
    )
    .option('--note <text>', 'for whom or what it is', keyDefaults.note)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples)
    .action(create);
}

async function create(id: string, options: CreateOptions): Promise<void> {
  const { rpm, tpm, tpd, concurrent, scopes, models, expires, priority, note } = options;
  const limits = { requestsPerMinute: rpm, tokensPerMinute: tpm, tokensPerDay: tpd, concurrent };
  const minted = createKey(id, { scopes, models, expires, priority, note, limits }, Date.now());
  const file = resolveKeyFile(options.file);
  const { warnings } = await updateKeyFile(file, (keys) => addKey(keys, minted.key));
  printSecret(minted, [...warnings, `Made key "${id}" in ${file}.`], options);
}
