/** A value of GGUF metadata; whole numbers of 64 bits are bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

export interface GgufHead {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** Reads everything before the weights. Throws a TypeError if it is not a GGUF file and a RangeError if it is truncated. */
export function readGgufHead(bytes: Buffer): GgufHead {
  if (bytes.toString('latin1', 0, 4) !== 'GGUF') throw new TypeError('not a GGUF file');
  const reader = new Reader(bytes, 4);
  const version = reader.u32();
  const [tensorCount, entryCount] = [reader.length(), reader.length()];
  const metadata = new Map<string, GgufValue>();
  for (let n = 0; n < entryCount; n++) metadata.set(reader.text(), reader.value(reader.u32()));
  const tensors = Array.from({ length: tensorCount }, () => reader.tensor());
  return { version, metadata, tensors };
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#skip(4));
  }

  length(): number {
    return Number(this.#bytes.readBigUInt64LE(this.#skip(8)));
  }

  text(): string {
    const length = this.length();
    const at = this.#skip(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  tensor() {
    const name = this.text();
    const shape = Array.from({ length: this.u32() }, () => this.length());
    this.#skip(4 + 8);
    return { name, shape };
  }

  value(type: number): GgufValue {
    const bytes = this.#bytes;
    switch (type) {
      case 0:
        return bytes.readUInt8(this.#skip(1));
      case 1:
        return bytes.readInt8(this.#skip(1));
      case 2:
        return bytes.readUInt16LE(this.#skip(2));
      case 3:
        return bytes.readInt16LE(this.#skip(2));
      case 4:
        return this.u32();
      case 5:
        return bytes.readInt32LE(this.#skip(4));
      case 6:
        return bytes.readFloatLE(this.#skip(4));
      case 7:
        return bytes.readUInt8(this.#skip(1)) === 1;
      case 8:
        return this.text();
      case 9:
        return this.#list();
      case 10:
        return bytes.readBigUInt64LE(this.#skip(8));
      case 11:
        return bytes.readBigInt64LE(this.#skip(8));
      case 12:
        return bytes.readDoubleLE(this.#skip(8));
      default:
        throw new TypeError(`unknown GGUF value type ${type}`);
    }
  }

  #list(): GgufValue[] {
    const type = this.u32();
    return Array.from({ length: this.length() }, () => this.value(type));
  }

  #skip(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new RangeError('the GGUF file ends too early');
    this.#at = at + length;
    return at;
  }
}
