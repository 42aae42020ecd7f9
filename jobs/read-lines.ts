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
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let from = 0; from < bytes.length; ) {
      if (length === 0) {
        const blank = skipBlankLines(bytes, from);
        number += blank.lines;
        offset += blank.length;
        from += blank.length;
      }
      const end = bytes.indexOf(LF, from);
      if (end === -1) {
        add(bytes.subarray(from));
        break;
      }
      add(bytes.subarray(from, end));
      from = end + 1;
      const found = line();
      if (found) yield found;
      number += 1;
      offset += length + 1;
      length = 0;
      parts = [];
    }
  }
  const last = line();
  if (last) yield last;
}

const isWhiteSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0d;

const isBlank = (bytes: Buffer) => bytes.every(isWhiteSpace);

/** The whole lines without content that begin here. A file may have hundreds of millions: each costs no more than its bytes. */
function skipBlankLines(bytes: Buffer, from: number): { readonly lines: number; readonly length: number } {
  let [lines, begin] = [0, from];
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === LF) {
      lines += 1;
      begin = at + 1;
    } else if (!isWhiteSpace(bytes[at])) break;
  }
  return { lines, length: begin - from };
}
