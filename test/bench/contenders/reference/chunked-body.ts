type Part = 'size' | 'data' | 'after data' | 'last line';

const [CR, LF, NINE] = [13, 10, 57];

/** Follows the framing of a chunked body (RFC 9112, section 7.1) without extensions and trailers. */
export class ChunkedBody {
  private part: Part = 'size';
  private left = 0;

  /** Whether the body ends with these bytes. */
  endsWith(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; ) {
      if (this.part === 'data') {
        const length = Math.min(this.left, bytes.length - at);
        at += length;
        this.left -= length;
        if (this.left === 0) this.part = 'after data';
        continue;
      }
      const byte = bytes[at++] as number;
      if (byte === LF) {
        if (this.part === 'last line') return true;
        this.part = this.part === 'after data' ? 'size' : this.left > 0 ? 'data' : 'last line';
      } else if (byte !== CR) this.left = this.left * 16 + hexDigit(byte);
    }
    return false;
  }
}

const hexDigit = (byte: number) => (byte <= NINE ? byte - 48 : (byte | 32) - 87);
