/** The bytes in pieces of the given lengths; the rest is the last piece. */
export function cut(bytes: Buffer, cuts: Iterable<number>): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of cuts) {
    if (at >= bytes.length) break;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return at < bytes.length ? [...pieces, bytes.subarray(at)] : pieces;
}

/** The bytes one by one. */
export const singly = (bytes: Buffer) => cut(bytes, new Array<number>(bytes.length).fill(1));
