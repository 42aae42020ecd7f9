import { createWriteStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeWhole } from '../../fs/write-whole.ts';
import { UsageError } from '../run-command.ts';
import type { BatchClient } from './batch-client.ts';

/** Streams a file to stdout. A reader such as `head` may leave before its end. */
export async function printContent(client: BatchClient, fileId: string): Promise<void> {
  const content = await client.content(fileId);
  await pipeline(content, process.stdout, { end: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** Streams a file to the disk. It is there whole or not at all. */
export function saveContent(client: BatchClient, fileId: string, path: string): Promise<void> {
  return writeWhole(path, async (target) =>
    pipeline(await client.content(fileId), createWriteStream(target)),
  );
}

/** Throws a UsageError if nothing can be saved there: a batch may take hours before it is. */
export async function checkTarget(path: string): Promise<void> {
  const old = await stat(path).catch(() => undefined);
  if (old?.isDirectory()) throw new UsageError(`${path} is a folder: name a file in it`);
  const needed = old === undefined || old.isFile() ? dirname(path) : path;
  await access(needed, constants.W_OK).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${path} cannot be written: ${needed} ${code === 'ENOENT' ? 'does not exist' : `is not writable (${code})`}`,
    );
  });
}
