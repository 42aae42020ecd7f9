import { Command } from 'commander';
import { changeKey, findKey, rotateKey } from '../../keys/change-keys.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { createKey } from '../../keys/new-key.ts';
import { formatTime } from './format-key.ts';
import { fileOption, jsonOption, resolveKeyFile } from './key-file-option.ts';
import { durationMs } from './parse-options.ts';
import { printSecret, quietOption } from './print-secret.ts';

interface RotateOptions {
  readonly file?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly overlap: number;
}

const examples = `
Examples:
  corral keys rotate app --overlap 24h   the old secret works for one more day
  corral keys rotate app                 the old secret stops working now

Id, scopes, limits and expiry stay the same. Only the latest old secret can overlap: a second rotation ends the one before.`;

export function rotateCommand(): Command {
  return new Command('rotate')
    .description('replace the secret of a key and print the new one once')
    .argument('<id>', 'id of the key')
    .option('--overlap <span>', 'how long the old secret keeps working, such as 24h', durationMs, 0)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples)
    .action(rotate);
}

async function rotate(id: string, options: RotateOptions): Promise<void> {
  const now = Date.now();
  const minted = createKey(id, {}, now);
  const { keys, warnings } = await updateKeyFile(resolveKeyFile(options.file), (there) =>
    changeKey(there, id, (key) => rotateKey(key, minted.key, options.overlap, now)),
  );
  const key = findKey(keys, id);
  const old = key.previous ? `works until ${formatTime(key.previous.validUntil, '')}` : 'no longer works';
  const words = [...warnings, `Rotated key "${id}"; its old secret ${old}.`];
  if (key.disabled) words.push(`The key is disabled; enable it with "corral keys enable ${id}".`);
  if (key.expires !== null && key.expires <= now) words.push('The key has expired and does not work.');
  printSecret({ key, secret: minted.secret }, words, options);
}
