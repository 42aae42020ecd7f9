import { Option } from 'commander';
import { toRecord } from '../../keys/keys-json.ts';
import type { MintedKey } from '../../keys/secret.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';

export function quietOption(): Option {
  return new Option('--quiet', 'print only the secret').conflicts('json');
}

/** Prints the secret. It is never shown again. */
export function printSecret(
  { key, secret }: MintedKey,
  messages: readonly string[],
  { json, quiet }: { readonly json?: true; readonly quiet?: true },
): void {
  if (!quiet) for (const line of messages) writeStderr(line);
  if (json) {
    writeJson({ key: toRecord(key), secret });
  } else {
    if (!quiet) writeStderr('Secret (shown only once):');
    writeStdout(secret);
  }
}
