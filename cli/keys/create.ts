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
  corral keys create app                                 an inference key that never expires
  corral keys create batch --priority low --tpd 2000000  low priority, two million tokens per day
  corral keys create guest --expires 30d --rpm 20        20 requests per minute, for 30 days
  corral keys create ops --scopes metrics,admin          metrics and administration, no inference
  SECRET=$(corral keys create ci --quiet)                for scripts

The secret is printed once, to stdout. Only its SHA-256 is stored. A running gateway accepts the key within a second.`;

export function createCommand(): Command {
  return new Command('create')
    .description('create a key and print its secret once')
    .argument('<id>', 'id of the key: letters, digits, - and _', keyId)
    .addOption(
      new Option('--scopes <list>', 'comma-separated: inference, native, metrics, admin')
        .argParser(scopeList)
        .default(keyDefaults.scopes, 'inference'),
    )
    .addOption(
      new Option('--models <list>', 'comma-separated public names of the models it may use')
        .argParser(nameList)
        .default(keyDefaults.models, 'all'),
    )
    .option('--rpm <n>', 'requests per minute, 0 = unlimited (default: MAX_REQUESTS_PER_MINUTE)', limit)
    .option('--tpm <n>', 'tokens per minute, 0 = unlimited (default: MAX_TOKENS_PER_MINUTE)', limit)
    .option('--tpd <n>', 'tokens per UTC day, 0 = unlimited (default: unlimited)', limit)
    .option('--concurrent <n>', 'concurrent requests, 0 = unlimited (default: unlimited)', limit)
    .addOption(
      new Option('--expires <when>', '30d, 12h, an ISO date or time (UTC without an offset), or never')
        .argParser(expiry)
        .default(keyDefaults.expires, 'never'),
    )
    .addOption(
      new Option('--priority <p>', 'share of the turns while requests queue')
        .choices(priorities)
        .default(keyDefaults.priority),
    )
    .option('--note <text>', 'free text, such as who uses the key', keyDefaults.note)
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
  printSecret(minted, [...warnings, `Created key "${id}" in ${file}.`], options);
}
