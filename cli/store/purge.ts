import { Command, Option } from 'commander';
import { formatBytes } from '../../settings/sizes.ts';
import type { PurgeScope, Removed } from '../../store/retention.ts';
import type { Store } from '../../store/store.ts';
import { confirm } from '../confirm.ts';
import { formatNumberOf, formatTime } from '../format-values.ts';
import { durationMs, jsonOption, keyId } from '../options.ts';
import { writeJson, writeStderr } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { openLocalStore } from './open-local-store.ts';

/** What a command removes, and its words. */
interface Purge {
  readonly command: string;
  readonly description: string;
  /** The option that names a key. */
  readonly ownerOption: 'key' | 'owner';
  readonly notes: string;
  readonly what: 'everything' | 'responses';
}

const storePurge: Purge = {
  command: 'corral store purge',
  description: 'remove files, batches, responses and conversations for good',
  ownerOption: 'owner',
  what: 'everything',
  notes: `
Files, batches, responses and conversations are removed for good. With --older-than, batches and responses that have not
ended stay, with the files that they read, and so do conversations that were used since; without it they are stopped and
removed as well. Without a terminal, --yes is required.`,
};

const responsesPurge: Purge = {
  command: 'corral responses purge',
  description: 'remove stored responses and conversations for good',
  ownerOption: 'key',
  what: 'responses',
  notes: `
Responses and conversations are removed for good; files and batches stay ("corral store purge" removes those too). With
--older-than, responses that have not ended and conversations that were used since stay; without it background responses are
stopped and removed as well. Without a terminal, --yes is required.`,
};

/** `corral store purge`. */
export const storePurgeCommand = (): Command => purgeCommand(storePurge);

/** `corral responses purge`. */
export const responsesPurgeCommand = (): Command => purgeCommand(responsesPurge);

interface PurgeOptions {
  readonly key?: string;
  readonly owner?: string;
  readonly olderThan?: number;
  readonly all?: true;
  readonly yes?: true;
  readonly json?: true;
}

function purgeCommand(purge: Purge): Command {
  const { command, description, ownerOption, notes } = purge;
  const examples = `
Examples:
  ${command} --${ownerOption} app
  ${command} --${ownerOption} app --older-than 7d
  ${command} --all --yes    without confirmation
`;
  return new Command('purge')
    .description(description)
    .addOption(new Option(`--${ownerOption} <id>`, 'what this key has stored').argParser(keyId))
    .addOption(
      new Option('--older-than <time>', 'what was created longer ago, such as 7d').argParser(durationMs),
    )
    .addOption(new Option('--all', 'everything').conflicts([ownerOption, 'olderThan']))
    .addOption(new Option('--yes', 'skip the confirmation'))
    .addOption(jsonOption())
    .addHelpText('after', examples + notes)
    .action((options: PurgeOptions) => run(purge, options));
}

async function run({ ownerOption, what }: Purge, options: PurgeOptions): Promise<void> {
  const { olderThan, all, yes, json, [ownerOption]: owner } = options;
  if (!all && owner === undefined && olderThan === undefined)
    throw new UsageError(`say what to remove: --${ownerOption} ID, --older-than 7d, or --all`);
  const before = olderThan === undefined ? undefined : Math.floor((Date.now() - olderThan) / 1000);
  const scope = { owner, before };
  const { store, config } = openLocalStore();
  using _ = store;
  const question = what === 'everything' ? purgeQuestion(store, scope) : responsesQuestion(store, scope);
  if (!yes) await confirm(`${question} from ${config.folder}?`);
  const bytesBefore = store.usage().bytes;
  const removed = await (what === 'everything' ? store.purge(scope) : store.purgeResponses(scope));
  const bytes = bytesBefore - store.usage().bytes;
  writeStderr(`Removed ${listRemoved(removed)}: ${formatBytes(bytes)}.`);
  if (json) writeJson({ ...removed, bytes });
}

/** `2 files, 1 batch, 3 responses and 1 conversation`. */
function listRemoved({ files, batches, responses, conversations }: Partial<Removed>): string {
  const counts = [
    ...(files === undefined ? [] : [formatNumberOf(files, 'file')]),
    ...(batches === undefined ? [] : [formatNumberOf(batches, 'batch', 'batches')]),
    formatNumberOf(responses ?? 0, 'response'),
    formatNumberOf(conversations ?? 0, 'conversation'),
  ];
  return `${counts.slice(0, -1).join(', ')} and ${counts.at(-1)}`;
}

/** `Remove 3 files, 2 batches, 5 responses and 1 conversation of key "app" (1.2 GiB, also 1 batch that has not ended)`. */
export function purgeQuestion(store: Store, { owner, before }: PurgeScope): string {
  const { bytes: ofFiles, ...found } = store.previewPurge({ owner, before });
  if (before !== undefined)
    return `Remove ${listRemoved(found)}${inScope({ owner, before })} (files: ${formatBytes(ofFiles)})`;
  const open = store.batches.open().filter((batch) => owner === undefined || batch.owner === owner).length;
  const unfinished =
    open === 0
      ? ''
      : `, also ${formatNumberOf(open, 'batch', 'batches')} that ${open === 1 ? 'has' : 'have'} not ended`;
  return `Remove ${listRemoved(found)}${inScope({ owner })} (${formatBytes(store.usage(owner).bytes)}${unfinished})`;
}

/** `Remove 5 responses and 1 conversation of key "app"`. */
export function responsesQuestion(store: Store, scope: PurgeScope): string {
  const { responses, conversations } = store.previewPurge(scope);
  return `Remove ${listRemoved({ responses, conversations })}${inScope(scope)}`;
}

const inScope = ({ owner, before }: PurgeScope) =>
  (owner === undefined ? '' : ` of key "${owner}"`) +
  (before === undefined ? '' : ` from before ${formatTime(before * 1000, '')}`);
