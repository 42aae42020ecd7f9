/** Value types of GGUF metadata. */
const valueType = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9 } as const;

export type Metadata =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly f32s: readonly number[] }
  | { readonly i32s: readonly number[] };

export interface Tensor {
  readonly name: string;
  /** The number of columns comes first, as in GGUF. */
  readonly shape: readonly number[];
  /** 8-bit values are written as Q4_0: whole numbers from -8 to 7, of which a row has a multiple of 32. */
  readonly values: Float32Array | Float16Array | Int8Array;
}

const alignment = 32;

/** A GGUF file, version 3. */
export function ggufBytes(metadata: Readonly<Record<string, Metadata>>, tensors: readonly Tensor[]): Buffer {
  const entries = Object.entries(metadata);
  const descriptions: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    descriptions.push(describe(tensor, offset));
    data.push(bytes, padding(bytes.length));
    offset += bytes.length + padding(bytes.length).length;
  }
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(entries.length),
    ...entries.flatMap(([name, value]) => [text(name), metadataBytes(value)]),
    ...descriptions,
  ]);
  return Buffer.concat([header, padding(header.length), ...data]);
}

function describe({ name, shape, values }: Tensor, offset: number): Buffer {
  const type = values instanceof Float32Array ? 0 : values instanceof Float16Array ? 1 : 2;
  return Buffer.concat([text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset)]);
}

function tensorBytes({ values }: Tensor): Buffer {
  if (values instanceof Int8Array) return q4Bytes(values);
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** Blocks of a 16-bit scale, here 1, and 32 numbers of four bits: number n and number n + 16 share a byte. */
function q4Bytes(values: Int8Array): Buffer {
  const bytes = Buffer.alloc((values.length / 32) * 18);
  for (let block = 0; block < values.length / 32; block++) {
    bytes.writeUInt16LE(0x3c00, block * 18);
    for (let n = 0; n < 16; n++) {
      const [low = 0, high = 0] = [values[block * 32 + n], values[block * 32 + n + 16]];
      bytes[block * 18 + 2 + n] = (low + 8) | ((high + 8) << 4);
    }
  }
  return bytes;
}

function metadataBytes(value: Metadata): Buffer {
  if ('u32' in value) return Buffer.concat([u32(valueType.u32), u32(value.u32)]);
  if ('f32' in value) return Buffer.concat([u32(valueType.f32), f32(value.f32)]);
  if ('bool' in value) return Buffer.concat([u32(valueType.bool), Buffer.from([value.bool ? 1 : 0])]);
  if ('text' in value) return Buffer.concat([u32(valueType.text), text(value.text)]);
  if ('texts' in value) return list(valueType.text, value.texts.map(text));
  if ('f32s' in value) return list(valueType.f32, value.f32s.map(f32));
  return list(valueType.i32, value.i32s.map(i32));
}

function list(type: number, items: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(valueType.list), u32(type), u64(items.length), ...items]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function padding(length: number): Buffer {
  return Buffer.alloc((alignment - (length % alignment)) % alignment);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
