import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes the folder in which every temporary file of a test run lies, also those of the processes that it starts, and
 * answers what takes all of it away: a test that fails or forgets leaves nothing on the machine.
 */
export function createRunFolder(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-'));
  process.env.TMPDIR = folder;
  return () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
