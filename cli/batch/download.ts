import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { BatchClient } from './batch-client.ts';

/** Streams a file to stdout. A reader such as `head` may leave before its end. */
export async function printContent(client: BatchClient, fileId: string): Promise<void> {
  const content = await client.content(fileId);
  await pipeline(content, process.stdout, { end: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** Streams a file to the disk. It is there whole or not at all. */
export async function saveContent(client: BatchClient, fileId: string, path: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await pipeline(await client.content(fileId), createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
