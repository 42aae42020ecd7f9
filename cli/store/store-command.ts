import { Command, Option } from 'commander';
import { formatBytes } from '../../settings/sizes.ts';
import type { OwnerUsage } from '../../store/quota.ts';
import { formatCount } from '../format-values.ts';
import { jsonOption, keyId } from '../keys/options.ts';
import { align, writeJson, writeStderr, writeStdout } from '../output.ts';
import { openLocalStore } from './open-local-store.ts';
import { purgeCommand } from './purge.ts';

const notes = `
Examples:
  corral store usage
  corral store purge --owner app
  corral store purge --older-than 7d
  corral store purge --all

The store is what STORE=on keeps in DATA_DIR: files and batches of clients. A gateway may be running.`;

/** `corral store`: what is kept for clients, and its removal. */
export function storeCommand(): Command {
  const command = new Command('store')
    .description('show and remove what is stored for clients: files and batches')
    .addHelpText('after', notes);
  for (const verb of [usageCommand(), purgeCommand()])
    command.addCommand(verb.showHelpAfterError('(see --help)'));
  return command;
}

const usageNotes = `
Examples:
  corral store usage
  corral store usage --owner app --json

Results of batches that have not ended count as well.`;

interface UsageOptions {
  readonly owner?: string;
  readonly json?: true;
}

function usageCommand(): Command {
  return new Command('usage')
    .description('show how much is stored for each key')
    .addOption(new Option('--owner <key>', 'only what this key has stored').argParser(keyId))
    .addOption(jsonOption())
    .addHelpText('after', usageNotes)
    .action(usage);
}

function usage({ owner, json }: UsageOptions): void {
  const { store, config } = openLocalStore();
  using _ = store;
  const owners = store.usageByOwner().filter((each) => owner === undefined || each.owner === owner);
  const total = store.usage();
  if (json) writeJson({ owners, total, limit: config.maxSize });
  else if (owners.length > 0) writeStdout(align([['KEY', 'FILES', 'SIZE'], ...owners.map(usageRow)]));
  const [size, limit] = [total.bytes, config.maxSize].map(formatBytes);
  if (!json)
    writeStderr(
      `${formatCount(total.files)} files, ${size} of ${limit} (STORE_MAX_SIZE) in ${config.folder}`,
    );
}

const usageRow = ({ owner, files, bytes }: OwnerUsage) => [
  owner || '(no key)',
  formatCount(files),
  formatBytes(bytes),
];
