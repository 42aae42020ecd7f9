import { Command } from 'commander';
import type { Key } from '../../keys/key.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { statusOf } from '../../keys/key-status.ts';
import { toRecord } from '../../keys/keys-json.ts';
import { align } from './align.ts';
import { print, printJson, say } from './say.ts';
import { showLimits, showStatus, showTime } from './show-key.ts';
import { fileOption, jsonOption, whichFile } from './which-file.ts';

const examples = `
Examples:
  corral keys list
  corral keys list --json | jq -r '.[] | select(.state == "active") | .id'

Status is active, disabled or expired; a key that ends within 14 days says so, and one whose old secret still works after
a rotation says until when.`;

export function listCommand(): Command {
  return new Command('list')
    .description('show all keys and how they stand')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(list);
}

async function list(options: { readonly file?: string; readonly json?: true }): Promise<void> {
  const file = whichFile(options.file);
  const { keys, warnings } = await readKeyFile(file);
  const now = Date.now();
  for (const warning of warnings) say(warning);
  if (options.json) return printJson(keys.map((key) => withState(key, now)));
  if (keys.length > 0) print(align([heading, ...keys.map((key) => rowOf(key, now))]));
  say(summary(keys, file, now));
}

/** A key as `--json` shows it: its record, and how it stands. */
export function withState(key: Key, now: number): Record<string, unknown> {
  const { state, expiresSoon, rotatingUntil } = statusOf(key, now);
  return { ...toRecord(key), state, expiresSoon, rotating: rotatingUntil !== undefined };
}

const heading = ['ID', 'HINT', 'STATUS', 'SCOPES', 'LIMITS', 'CREATED', 'EXPIRES'];

function rowOf(key: Key, now: number): string[] {
  return [
    key.id,
    key.hint,
    showStatus(key, now),
    key.scopes.join(','),
    showLimits(key.limits),
    showTime(key.created, '-'),
    showTime(key.expires, 'never'),
  ];
}

function summary(keys: readonly Key[], file: string, now: number): string {
  if (keys.length === 0) return `No keys in ${file}: make one with "corral keys create ID".`;
  const ending = keys.filter((key) => statusOf(key, now).expiresSoon).length;
  const count = keys.length === 1 ? '1 key' : `${keys.length} keys`;
  return `${count} in ${file}${ending > 0 ? `; ${ending} within 14 days of the end` : ''}`;
}
