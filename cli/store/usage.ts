import { Command, Option } from 'commander';
import { formatBytes } from '../../settings/sizes.ts';
import type { OwnerUsage } from '../../store/quota.ts';
import { formatCount, formatNumberOf } from '../format-values.ts';
import { jsonOption, keyId } from '../options.ts';
import { align, writeJson, writeStderr, writeStdout } from '../output.ts';
import { openLocalStore } from './open-local-store.ts';

const usageNotes = `
Examples:
  corral store usage
  corral store usage --owner app --json

Results of batches that have not ended count as well.`;

interface UsageOptions {
  readonly owner?: string;
  readonly json?: true;
}

export function usageCommand(): Command {
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
  else if (owners.length > 0) writeStdout(align([headings, ...owners.map(usageRow)]));
  if (json) return;
  const counts = [
    ...[formatNumberOf(total.files, 'file'), formatNumberOf(total.responses, 'response')],
    formatNumberOf(total.conversations, 'conversation'),
  ];
  const [size, limit] = [total.bytes, config.maxSize].map(formatBytes);
  writeStderr(`${counts.join(', ')}: ${size} of ${limit} (STORE_MAX_SIZE) in ${config.folder}`);
}

const headings = ['KEY', 'FILES', 'RESPONSES', 'CONVERSATIONS', 'SIZE'];

const usageRow = ({ owner, files, responses, conversations, bytes }: OwnerUsage) => [
  owner || '(no key)',
  ...[files, responses, conversations].map(formatCount),
  formatBytes(bytes),
];
