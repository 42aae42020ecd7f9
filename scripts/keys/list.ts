import { Command } from 'commander';
import type { KeySeen } from '../../gateway/ledger/usage-batch.ts';
import type { Key } from '../../keys/key.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { statusOf } from '../../keys/key-status.ts';
import { toRecord } from '../../keys/keys-json.ts';
import { align } from './align.ts';
import { maxKeyAgeMs } from './max-key-age.ts';
import { print, printJson, say } from './say.ts';
import { oldSecretUsed, showAgo, showLimits, showStatus, showTime } from './show-key.ts';
import { fileOption, jsonOption, whichFile } from './which-file.ts';
import { lastSeen, ledgerOption, whichLedger } from './which-ledger.ts';

const examples = `
Examples:
  corral keys list
  corral keys list --json | jq -r '.[] | select(.state == "active") | .id'

Status is active, disabled or expired; a key that ends within 14 days says so, and one whose old secret still works after
a rotation says until when, and when somebody last came with it. A secret older than KEY_MAX_AGE_DAYS says its age. LAST USED comes from the usage ledger.`;

export function listCommand(): Command {
  return new Command('list')
    .description('show all keys and how they stand')
    .addOption(fileOption())
    .addOption(ledgerOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(list);
}

interface ListOptions {
  readonly file?: string;
  readonly ledger?: string;
  readonly json?: true;
}

async function list(options: ListOptions): Promise<void> {
  const file = whichFile(options.file);
  const { keys, warnings } = await readKeyFile(file);
  const now = Date.now();
  for (const warning of warnings) say(warning);
  const seen = lastSeen(whichLedger(options.ledger));
  if (options.json) return printJson(keys.map((key) => withUse(key, now, seen.get(key.id))));
  if (keys.length > 0) print(align([heading, ...keys.map((key) => rowOf(key, now, seen.get(key.id)))]));
  say(summary(keys, file, now));
}

/** A key as `--json` shows it: its record, and how it stands. */
export function withState(key: Key, now: number): Record<string, unknown> {
  const { state, expiresSoon, secretIsOld, rotatingUntil } = statusOf(key, now, maxKeyAgeMs());
  return { ...toRecord(key), state, expiresSoon, secretIsOld, rotating: rotatingUntil !== undefined };
}

/** The same, and when it was last used, as far as the ledger knows. */
export function withUse(key: Key, now: number, seen: KeySeen | undefined): Record<string, unknown> {
  return {
    ...withState(key, now),
    lastUsed: isoTime(seen?.lastUsed),
    oldSecretLastUsed: isoTime(oldSecretUsed(key, seen, now)),
  };
}

const isoTime = (moment: number | undefined) =>
  moment === undefined ? null : new Date(moment).toISOString();

const heading = ['ID', 'HINT', 'STATUS', 'SCOPES', 'LIMITS', 'CREATED', 'EXPIRES', 'LAST USED'];

function rowOf(key: Key, now: number, seen: KeySeen | undefined): string[] {
  return [
    key.id,
    key.hint,
    showStatus(key, now, { seen, maxAgeMs: maxKeyAgeMs() }),
    key.scopes.join(','),
    showLimits(key.limits),
    showTime(key.created, '-'),
    showTime(key.expires, 'never'),
    seen ? showAgo(seen.lastUsed, now) : '-',
  ];
}

function summary(keys: readonly Key[], file: string, now: number): string {
  if (keys.length === 0) return `No keys in ${file}: make one with "corral keys create ID".`;
  const ending = keys.filter((key) => statusOf(key, now).expiresSoon).length;
  const count = keys.length === 1 ? '1 key' : `${keys.length} keys`;
  return `${count} in ${file}${ending > 0 ? `; ${ending} within 14 days of the end` : ''}`;
}
