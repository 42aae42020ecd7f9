import { Command } from 'commander';
import type { KeySeen } from '../../gateway/usage/usage-batch.ts';
import { findKey } from '../../keys/change-keys.ts';
import type { Key } from '../../keys/key.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { align } from '../align.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';
import { formatAgo, formatLimits, formatStatus, formatTime } from './format-key.ts';
import { fileOption, jsonOption, resolveKeyFile } from './key-file-option.ts';
import { lastSeen, ledgerOption, resolveLedger } from './ledger-option.ts';
import { keyWithUsage } from './list.ts';
import { maxKeyAgeMs } from './max-key-age.ts';

export function showCommand(): Command {
  return new Command('show')
    .description('show the details of one key (its secret is not stored)')
    .argument('<id>', 'id of the key')
    .addOption(fileOption())
    .addOption(ledgerOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  corral keys show app\n  corral keys show app --json')
    .action(show);
}

interface ShowOptions {
  readonly file?: string;
  readonly ledger?: string;
  readonly json?: true;
}

async function show(id: string, options: ShowOptions): Promise<void> {
  const { keys, warnings } = await readKeyFile(resolveKeyFile(options.file));
  for (const warning of warnings) writeStderr(warning);
  const key = findKey(keys, id);
  const now = Date.now();
  const seen = lastSeen(resolveLedger(options.ledger)).get(key.id);
  if (options.json) writeJson(keyWithUsage(key, now, seen));
  else writeStdout(align(linesOf(key, now, seen)));
}

function linesOf(key: Key, now: number, seen: KeySeen | undefined): string[][] {
  return [
    ['id', key.id],
    ['status', formatStatus(key, now, { seen, maxAgeMs: maxKeyAgeMs() })],
    ['secret', `${key.hint} (${key.fingerprint})`],
    ['scopes', key.scopes.join(', ') || 'none'],
    ['models', key.models.includes('*') ? 'all' : key.models.join(', ')],
    ['priority', key.priority],
    ['limits', formatLimits(key.limits).replace(/^-$/, 'the defaults')],
    ['created', formatTime(key.created, 'unknown')],
    ['expires', formatTime(key.expires, 'never')],
    ['last used', seen ? `${formatTime(seen.lastUsed, '')} (${formatAgo(seen.lastUsed, now)})` : '-'],
    ['note', key.note || '-'],
  ];
}
