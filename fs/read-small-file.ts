import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** A file that holds a secret or a line of settings is small; whatever is larger was not meant. */
const MOST = 1024 ** 2;

/**
 * The text of a small file, without a byte order mark. Throws an error whose message completes "cannot be read: …" and
 * names no content. It neither waits for a writer of a pipe, but for one that a shell has opened for this process
 * (`<(…)`), nor reads on and on from a device.
 */
export function readSmallFile(path: string): string {
  const isOfShell = /^\/(?:dev|proc\/self)\/(?:fd\/\d+|stdin)$/.test(path);
  const file = openSync(path, isOfShell ? 'r' : constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    refuseOddities(fstatSync(file), isOfShell);
    return decode(readBytes(file));
  } finally {
    closeSync(file);
  }
}

function refuseOddities(stats: Stats, mayBePipe: boolean): void {
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
    if (length > MOST) throw new Error('it is larger than 1 MiB');
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
