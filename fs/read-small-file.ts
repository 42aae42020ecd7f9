import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** Files with secrets or settings are small; a larger file is a mistake. */
const MAX_BYTES = 1024 ** 2;

/**
 * Reads a small text file, without its byte order mark. Throws an error whose message completes "cannot be read: …"
 * and quotes no content. Does not block on a pipe, except one that a shell has opened for this process (`<(…)`), nor
 * read a device endlessly.
 */
export function readSmallFile(path: string): string {
  const isOfShell = /^\/(?:dev|proc\/self)\/(?:fd\/\d+|stdin)$/.test(path);
  const file = openSync(path, isOfShell ? 'r' : constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    requireReadableFile(fstatSync(file), isOfShell);
    return decode(readBytes(file));
  } finally {
    closeSync(file);
  }
}

function requireReadableFile(stats: Stats, mayBePipe: boolean): void {
  if (stats.isDirectory()) throw new Error('it is a directory');
  if (!stats.isFile() && !(mayBePipe && (stats.isFIFO() || stats.isSocket()))) {
    throw new Error('it is a pipe or device, not a file');
  }
}

function readBytes(file: number): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const piece = Buffer.alloc(64 * 1024);
    const read = readSync(file, piece);
    if (read === 0) return Buffer.concat(pieces);
    length += read;
    if (length > MAX_BYTES) throw new Error('it is larger than 1 MiB');
    pieces.push(piece.subarray(0, read));
  }
}

function decode(bytes: Buffer): string {
  if (/^(?:\xff\xfe|\xfe\xff)/.test(bytes.toString('latin1', 0, 2)))
    throw new Error('it is UTF-16; save it as UTF-8');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is not UTF-8');
  }
}
