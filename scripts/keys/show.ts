import { Command } from 'commander';
import { findKey } from '../../keys/change-keys.ts';
import type { Key } from '../../keys/key.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { align } from './align.ts';
import { withState } from './list.ts';
import { print, printJson, say } from './say.ts';
import { showLimits, showStatus, showTime } from './show-key.ts';
import { fileOption, jsonOption, whichFile } from './which-file.ts';

export function showCommand(): Command {
  return new Command('show')
    .description('show all that is known of one key; its secret is not')
    .argument('<id>', 'the key')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  corral keys show app\n  corral keys show app --json')
    .action(show);
}

async function show(id: string, options: { readonly file?: string; readonly json?: true }): Promise<void> {
  const { keys, warnings } = await readKeyFile(whichFile(options.file));
  for (const warning of warnings) say(warning);
  const key = findKey(keys, id);
  const now = Date.now();
  if (options.json) printJson(withState(key, now));
  else print(align(linesOf(key, now)));
}

function linesOf(key: Key, now: number): string[][] {
  return [
    ['id', key.id],
    ['status', showStatus(key, now)],
    ['secret', `${key.hint} (${key.fingerprint})`],
    ['scopes', key.scopes.join(', ') || 'none'],
    ['models', key.models.includes('*') ? 'all' : key.models.join(', ')],
    ['priority', key.priority],
    ['limits', showLimits(key.limits).replace(/^-$/, 'those of the house')],
    ['created', showTime(key.created, 'unknown')],
    ['expires', showTime(key.expires, 'never')],
    ['note', key.note || '-'],
  ];
}
