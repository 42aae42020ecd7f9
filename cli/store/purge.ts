import { Command, Option } from 'commander';
import { formatBytes } from '../../settings/sizes.ts';
import type { PurgeScope } from '../../store/retention.ts';
import type { Store } from '../../store/store.ts';
import { formatCount } from '../format-values.ts';
import { formatTime } from '../keys/format-key.ts';
import { durationMs, jsonOption, keyId } from '../keys/options.ts';
import { confirmed } from '../keys/revoke.ts';
import { writeJson, writeStderr } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { openLocalStore } from './open-local-store.ts';

const notes = `
Examples:
  corral store purge --owner app
  corral store purge --owner app --older-than 7d
  corral store purge --all --yes    without confirmation

Files and batches are removed for good. With --older-than, batches that have not ended stay, with the files that they
read; without it they are stopped and removed as well. Without a terminal there is no confirmation.`;

interface PurgeOptions {
  readonly owner?: string;
  readonly olderThan?: number;
  readonly all?: true;
  readonly yes?: true;
  readonly json?: true;
}

export function purgeCommand(): Command {
  return new Command('purge')
    .description('remove files and batches for good')
    .addOption(new Option('--owner <key>', 'what this key has stored').argParser(keyId))
    .addOption(
      new Option('--older-than <time>', 'what was created longer ago, such as 7d').argParser(durationMs),
    )
    .addOption(new Option('--all', 'everything').conflicts(['owner', 'olderThan']))
    .addOption(new Option('--yes', 'skip the confirmation'))
    .addOption(jsonOption())
    .addHelpText('after', notes)
    .action(purge);
}

async function purge({ owner, olderThan, all, yes, json }: PurgeOptions): Promise<void> {
  if (!all && owner === undefined && olderThan === undefined)
    throw new UsageError('say what to remove: --owner KEY, --older-than 7d, or --all');
  const before = olderThan === undefined ? undefined : Math.floor((Date.now() - olderThan) / 1000);
  const scope = { owner, before };
  const { store, config } = openLocalStore();
  using _ = store;
  if (!yes && !(await confirmed(`${question(store, scope)} from ${config.folder}? [y/N] `)))
    throw new Error('nothing was removed');
  const bytesBefore = store.usage().bytes;
  const { files, batches } = store.purge(scope);
  const bytes = bytesBefore - store.usage().bytes;
  writeStderr(
    `Removed ${count(files, 'file', 'files')} and ${count(batches, 'batch', 'batches')}: ${formatBytes(bytes)}.`,
  );
  if (json) writeJson({ files, batches, bytes });
}

/** `Remove 3 files (1.2 GiB) and all batches of key "app"`. */
function question(store: Store, { owner, before }: PurgeScope): string {
  const { files, bytes } = store.usage(owner);
  const ofOwner = owner === undefined ? '' : ` of key "${owner}"`;
  if (before !== undefined)
    return `Remove all files and ended batches${ofOwner} from before ${formatTime(before * 1000, '')}`;
  const open = store.batches.open().filter((batch) => owner === undefined || batch.owner === owner).length;
  const unfinished = open === 0 ? '' : ` (${formatCount(open)} have not ended)`;
  return `Remove ${count(files, 'file', 'files')} (${formatBytes(bytes)}) and all batches${unfinished}${ofOwner}`;
}

const count = (number: number, one: string, many: string) =>
  `${formatCount(number)} ${number === 1 ? one : many}`;
