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
  readonly values: Float32Array | Float16Array;
}

const alignment = 32;

/** A GGUF file, version 3. */
export function ggufBytes(metadata: Readonly<Record<string, Metadata>>, tensors: readonly Tensor[]): Buffer {
  const entries = Object.entries(metadata);
  const descriptions: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    const bytes = Buffer.from(tensor.values.buffer, tensor.values.byteOffset, tensor.values.byteLength);
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
  const type = values instanceof Float32Array ? 0 : 1;
  return Buffer.concat([text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset)]);
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
