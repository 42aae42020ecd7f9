import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const KEYS = 100;

export interface Secrets {
  readonly secrets: readonly string[];
  /** They are in it, one per line, as the load generator reads them. */
  readonly file: string;
}

/** The API keys of the clients of a contender. */
export async function createSecrets(folder: TemporaryFolder): Promise<Secrets> {
  const secrets = Array.from({ length: KEYS }, () => `sk-${randomBytes(32).toString('base64url')}`);
  const file = folder.file('secrets');
  await writeFile(file, `${secrets.join('\n')}\n`, { mode: 0o600 });
  return { secrets, file };
}
