/** A line of a file: where its bytes are, and the bytes unless they are too many. */
export interface FileLine {
  /** From 1. */
  readonly number: number;
  /** In bytes, from the beginning of the file. */
  readonly offset: number;
  /** In bytes, without the line end. */
  readonly length: number;
  /** Undefined if the line is longer than allowed. */
  readonly bytes: Buffer | undefined;
}

const LF = 0x0a;
const byteOrderMark = Buffer.from('\ufeff');

/**
 * The lines of a file that are not blank, in order. No more than one line of at most `maxLength` bytes is in memory,
 * whatever the file contains.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLength: number,
): AsyncGenerator<FileLine> {
  let number = 1;
  let offset = 0;
  let length = 0;
  let parts: Buffer[] = [];
  const add = (part: Buffer) => {
    length += part.length;
    if (length > maxLength) parts = [];
    // A copy: the chunk may be overwritten, and would be kept whole.
    else if (part.length > 0) parts.push(Buffer.from(part));
  };
  const line = (): FileLine | undefined => {
    const bytes = length > maxLength ? undefined : Buffer.concat(parts);
    if (bytes && isBlank(bytes)) return undefined;
    const skipped = bytes?.subarray(0, byteOrderMark.length).equals(byteOrderMark) && offset === 0 ? 3 : 0;
    return { number, offset: offset + skipped, length: length - skipped, bytes: bytes?.subarray(skipped) };
  };
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(LF); end !== -1; end = rest.indexOf(LF)) {
      add(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const found = line();
      if (found) yield found;
      number += 1;
      offset += length + 1;
      length = 0;
      parts = [];
    }
    add(rest);
  }
  const last = line();
  if (last) yield last;
}

const whiteSpace = [0x20, 0x09, 0x0d];

const isBlank = (bytes: Buffer) => bytes.every((byte) => whiteSpace.includes(byte));
