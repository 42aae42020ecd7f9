import { Command, Option } from 'commander';
import { changeKey, findKey, rotateKey } from '../../keys/change-keys.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { createKey } from '../../keys/secret.ts';
import { formatTime } from '../format-values.ts';
import { durationMs, jsonOption } from '../options.ts';
import { findFileKey } from './find-key.ts';
import { fileOption, resolveKeyFile } from './options.ts';
import { printSecret, quietOption } from './print-secret.ts';

interface RotateOptions {
  readonly file?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly overlap: number;
  readonly now?: true;
}

const examples = `
Examples:
  corral keys rotate app --overlap 24h   the old secret works for one more day
  corral keys rotate app                 the old secret stops working now; its running requests finish
  corral keys rotate app --now           for a secret that has leaked: its running requests end, too

Id, scopes, limits and expiry stay the same. Batches and background responses go on. Only the latest old secret can overlap: a second rotation ends the one before.`;

export function rotateCommand(): Command {
  return new Command('rotate')
    .description('replace the secret of a key and print the new one once')
    .argument('<id>', 'id of the key')
    .option('--overlap <span>', 'how long the old secret keeps working, such as 24h', durationMs, 0)
    .addOption(new Option('--now', 'also end the running requests with the old secret').conflicts('overlap'))
    .addOption(fileOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples)
    .action(rotate);
}

async function rotate(id: string, options: RotateOptions): Promise<void> {
  const now = Date.now();
  const minted = createKey(id, {}, now);
  const { keys, warnings } = await updateKeyFile(resolveKeyFile(options.file), (there) => {
    const rotated = rotateKey(
      findFileKey(there, id),
      minted.key,
      options.now ? 'cutOff' : options.overlap,
      now,
    );
    return changeKey(there, id, () => rotated);
  });
  const key = findKey(keys, id);
  const old = key.previous ? `works until ${formatTime(key.previous.validUntil, '')}` : 'no longer works';
  const ending = options.now ? ', and its running requests end' : '';
  const messages = [...warnings, `Rotated key "${id}"; its old secret ${old}${ending}.`];
  if (key.disabled) messages.push(`The key is disabled; enable it with "corral keys enable ${id}".`);
  if (key.expires !== null && key.expires <= now) messages.push('The key has expired and does not work.');
  printSecret({ key, secret: minted.secret }, messages, options);
}
