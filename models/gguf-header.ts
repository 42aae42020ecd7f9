import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** What the beginning of a GGUF file contains about its model. */
export interface GgufHeader {
  /** Numbers, texts and lists of numbers; the vocabulary is left out, but for its size. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /** The bytes of each tensor in this file, by name. */
  readonly tensors: ReadonlyMap<string, number>;
  /** How many numbers the tensors in this file have. */
  readonly parameters: number;
}

export type MetadataValue = number | boolean | string | readonly number[];

/** Reads the header of a GGUF file; of a split model it describes one part. Throws if the file cannot be read or is none. */
export function readGgufHeader(path: string): GgufHeader {
  const file = openSync(path, 'r');
  try {
    return parseHeader(new HeaderReader(file), statSync(path).size);
  } finally {
    closeSync(file);
  }
}

/** A damaged count must not keep the process busy. */
const maxEntries = 1_000_000;
const defaultAlignment = 32;

function parseHeader(reader: HeaderReader, fileBytes: number): GgufHeader {
  if (reader.take(4).toString('latin1') !== 'GGUF') throw new Error('is not a GGUF file');
  const version = reader.u32();
  if (version < 2 || version > 3) throw new Error(`has GGUF version ${version}, which is not supported`);
  const [tensorCount, entryCount] = [reader.count(maxEntries), reader.count(maxEntries)];
  const metadata = new Map<string, MetadataValue>();
  for (let n = 0; n < entryCount; n++) {
    const name = reader.text();
    const value = readValue(reader, reader.u32());
    if (value !== undefined) metadata.set(name, value);
  }
  const starts = Array.from({ length: tensorCount }, () => readTensorStart(reader));
  const alignment = Number(metadata.get('general.alignment')) || defaultAlignment;
  const dataBytes = fileBytes - Math.ceil(reader.position / alignment) * alignment;
  const parameters = starts.reduce((sum, { elements }) => sum + elements, 0);
  return { metadata, tensors: tensorBytes(starts, dataBytes, alignment), parameters };
}

interface TensorStart {
  readonly name: string;
  readonly offset: number;
  /** How many numbers it has. */
  readonly elements: number;
  /** The type of its numbers. */
  readonly type: number;
}

function readTensorStart(reader: HeaderReader): TensorStart {
  const name = reader.text();
  let elements = 1;
  for (let left = reader.u32(); left > 0; left--) elements *= reader.u64();
  return { name, elements, type: reader.u32(), offset: reader.u64() };
}

/** Numbers and bytes of a block, by the type of its numbers: f32, f16, bf16 and the common quantizations. */
const blocks: Readonly<Record<number, readonly [numbers: number, bytes: number]>> = {
  ...{ 0: [1, 4], 1: [1, 2], 30: [1, 2] },
  ...{ 2: [32, 18], 3: [32, 20], 6: [32, 22], 7: [32, 24], 8: [32, 34], 20: [32, 18], 39: [32, 17] },
  ...{ 10: [256, 84], 11: [256, 110], 12: [256, 144], 13: [256, 176], 14: [256, 210], 23: [256, 136] },
};

/**
 * A tensor ends where the next one begins: this holds for every data type, those of the future included. Of a known type,
 * the bytes between two tensors do not count.
 */
function tensorBytes(
  starts: readonly TensorStart[],
  dataBytes: number,
  alignment: number,
): Map<string, number> {
  const inOrder = starts.toSorted((a, b) => a.offset - b.offset);
  return new Map(
    inOrder.map(({ name, offset, elements, type }, index) => {
      const room = Math.max(0, (inOrder[index + 1]?.offset ?? dataBytes) - offset);
      const [numbers, bytes] = blocks[type] ?? [1, 0];
      const exact = (elements / numbers) * bytes;
      const isPadded = exact <= room && room - exact < alignment;
      return [name, isPadded ? exact : room];
    }),
  );
}

/** Bytes of the values of fixed size, by their type in GGUF. */
const valueBytes: Readonly<Record<number, number>> = {
  ...{ 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 },
};
const [text, list] = [8, 9];
/** Longer lists are vocabularies. */
const longestList = 4096;

function readValue(reader: HeaderReader, type: number): MetadataValue | undefined {
  if (type === text) return reader.text();
  if (type === list) return readList(reader);
  return readNumber(reader, type);
}

/** A list of numbers; of other lists, the length. */
function readList(reader: HeaderReader): readonly number[] | number {
  const type = reader.u32();
  const count = reader.count(100_000_000);
  if (type === text) {
    for (let n = 0; n < count; n++) reader.skip(reader.count(2 ** 31));
    return count;
  }
  const bytes = valueBytes[type];
  if (bytes === undefined) throw new Error(`has a list of an unknown type (${type})`);
  if (count <= longestList) return Array.from({ length: count }, () => Number(readNumber(reader, type)));
  reader.skip(count * bytes);
  return count;
}

function readNumber(reader: HeaderReader, type: number): number | boolean {
  const bytes = valueBytes[type];
  if (bytes === undefined) throw new Error(`has a value of an unknown type (${type})`);
  const value = reader.take(bytes);
  if (type === 7) return value[0] !== 0;
  if (type === 6) return value.readFloatLE();
  if (type === 12) return value.readDoubleLE();
  if (type === 10) return Number(value.readBigUInt64LE());
  if (type === 11) return Number(value.readBigInt64LE());
  return type % 2 === 0 ? value.readUIntLE(0, bytes) : value.readIntLE(0, bytes);
}

/** Reads a file from its beginning in large pieces. */
class HeaderReader {
  readonly #file: number;
  #piece = Buffer.alloc(0);
  #at = 0;
  #pieceStart = 0;

  constructor(file: number) {
    this.#file = file;
  }

  get position(): number {
    return this.#pieceStart + this.#at;
  }

  take(bytes: number): Buffer {
    if (this.#at + bytes > this.#piece.length) this.#refill(bytes);
    const taken = this.#piece.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    return taken;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  u64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  count(most: number): number {
    const count = this.u64();
    if (count > most) throw new Error('is damaged: its header has an impossible count');
    return count;
  }

  text(): string {
    return this.take(this.count(2 ** 24)).toString('utf8');
  }

  #refill(bytes: number): void {
    this.#pieceStart = this.position;
    this.#at = 0;
    const piece = Buffer.alloc(Math.max(bytes, 1024 ** 2));
    const read = readSync(this.#file, piece, 0, piece.length, this.#pieceStart);
    if (read < bytes) throw new Error('is cut off in its header');
    this.#piece = piece.subarray(0, read);
  }
}
