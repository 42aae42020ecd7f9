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
  corral keys rotate app                 the old secret has leaked: it stops now

Id, scopes, limits and expiry stay. Of two rotations in a row only the last secret before today's works on.`;

export function rotateCommand(): Command {
  return new Command('rotate')
    .description('give a key a new secret and print it, once')
    .argument('<id>', 'the key')
    .option('--overlap <span>', 'how long the old secret works on, such as 24h', durationMs, 0)
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
  if (key.disabled) words.push(`It is disabled: "corral keys enable ${id}" lets it work again.`);
  if (key.expires !== null && key.expires <= now) words.push('It has expired, and so does not work.');
  printSecret({ key, secret: minted.secret }, words, options);
}
