import { Option } from 'commander';
import { toRecord } from '../../keys/keys-json.ts';
import type { MintedKey } from '../../keys/new-key.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';

export function quietOption(): Option {
  return new Option('--quiet', 'print only the secret').conflicts('json');
}

/** Gives the secret out: the one time that it is to be seen. */
export function printSecret(
  { key, secret }: MintedKey,
  words: readonly string[],
  { json, quiet }: { readonly json?: true; readonly quiet?: true },
): void {
  if (!quiet) for (const line of words) writeStderr(line);
  if (json) {
    writeJson({ key: toRecord(key), secret });
  } else {
    if (!quiet) writeStderr('Secret (shown only once):');
    writeStdout(secret);
  }
}
