import { Command } from 'commander';
import type { KeySeen } from '../../gateway/ledger/usage-batch.ts';
import { findKey } from '../../keys/change-keys.ts';
import type { Key } from '../../keys/key.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { align } from './align.ts';
import { withUse } from './list.ts';
import { maxKeyAgeMs } from './max-key-age.ts';
import { print, printJson, say } from './say.ts';
import { showAgo, showLimits, showStatus, showTime } from './show-key.ts';
import { fileOption, jsonOption, whichFile } from './which-file.ts';
import { lastSeen, ledgerOption, whichLedger } from './which-ledger.ts';

export function showCommand(): Command {
  return new Command('show')
    .description('show all that is known of one key; its secret is not')
    .argument('<id>', 'the key')
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
  const { keys, warnings } = await readKeyFile(whichFile(options.file));
  for (const warning of warnings) say(warning);
  const key = findKey(keys, id);
  const now = Date.now();
  const seen = lastSeen(whichLedger(options.ledger)).get(key.id);
  if (options.json) printJson(withUse(key, now, seen));
  else print(align(linesOf(key, now, seen)));
}

function linesOf(key: Key, now: number, seen: KeySeen | undefined): string[][] {
  return [
    ['id', key.id],
    ['status', showStatus(key, now, { seen, maxAgeMs: maxKeyAgeMs() })],
    ['secret', `${key.hint} (${key.fingerprint})`],
    ['scopes', key.scopes.join(', ') || 'none'],
    ['models', key.models.includes('*') ? 'all' : key.models.join(', ')],
    ['priority', key.priority],
    ['limits', showLimits(key.limits).replace(/^-$/, 'those of the house')],
    ['created', showTime(key.created, 'unknown')],
    ['expires', showTime(key.expires, 'never')],
    ['last used', seen ? `${showTime(seen.lastUsed, '')} (${showAgo(seen.lastUsed, now)})` : '-'],
    ['note', key.note || '-'],
  ];
}
