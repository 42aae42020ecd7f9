import { modelFileParts } from './gguf-file.ts';
import { type GgufHeader, type MetadataValue, readGgufHeader } from './gguf-header.ts';

/** What decides on the memory of a model. */
export interface ModelShape {
  /** Context tokens it was trained for. */
  readonly trainedContext: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly heads: number;
  /** Tokens of the vocabulary. */
  readonly vocabulary: number;
  readonly layers: readonly Layer[];
  /** Bytes of the tensors before the layers, which stay in the machine's memory, and of those after them. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** The output uses the matrix of the input: a GPU needs a copy of it. */
  readonly sharesMatrix: boolean;
  /** It reads a text at once and has no KV cache. */
  readonly isEncoder: boolean;
}

export interface Layer {
  readonly bytes: number;
  /** Numbers that the KV cache keeps of each token; 0 where the layer has a state of fixed size. */
  readonly keys: number;
  readonly values: number;
  /** The layer sees this many tokens only; undefined for all. */
  readonly window: number | undefined;
}

/** Reads the headers of a model's files. Throws an error that names the file. */
export function readModelShape(path: string): ModelShape {
  const headers = modelFileParts(path).map((part) => {
    try {
      return readGgufHeader(part);
    } catch (error) {
      throw new Error(`${part}: ${(error as Error).message}`, { cause: error });
    }
  });
  const [first] = headers;
  if (first === undefined) throw new Error(`${path}: has no parts`);
  return shapeOf(first.metadata, new Map(headers.flatMap(({ tensors }) => [...tensors])));
}

function shapeOf(metadata: GgufHeader['metadata'], tensors: GgufHeader['tensors']): ModelShape {
  const architecture = String(metadata.get('general.architecture') ?? '');
  const get = (name: string) => metadata.get(`${architecture}.${name}`);
  const number = (name: string, otherwise = 0) => {
    const value = get(name);
    return typeof value === 'number' ? value : Array.isArray(value) ? Math.max(0, ...value) : otherwise;
  };
  const embedding = number('embedding_length');
  const heads = number('attention.head_count', 1) || 1;
  const count = number('block_count');
  const headWidth = embedding / heads;
  const kvHeads = perLayer(get('attention.head_count_kv'), number('attention.head_count'));
  const isCompressed = get('attention.key_length_mla') !== undefined;
  const isEncoder = get('attention.causal') === false;
  const isFull = fullAttention(architecture, get);
  const windowed = slidingWindow(architecture, get);
  const layers = Array.from({ length: count }, (_, index): Layer => {
    const cached = isFull(index) && !isEncoder ? kvHeads(index) : 0;
    return {
      bytes: bytesOf(tensors, (name) => name.startsWith(`blk.${index}.`)),
      keys: cached * number('attention.key_length', headWidth),
      values: isCompressed ? 0 : cached * number('attention.value_length', headWidth),
      window: windowed(index),
    };
  });
  return {
    trainedContext: number('context_length', 4096),
    embedding,
    feedForward: number('feed_forward_length'),
    heads,
    vocabulary: Number(metadata.get('tokenizer.ggml.tokens')) || 0,
    layers,
    inputBytes: bytesOf(tensors, isInput),
    outputBytes: bytesOf(tensors, (name) => !name.startsWith('blk.') && !isInput(name)),
    sharesMatrix: !isEncoder && !tensors.has('output.weight'),
    isEncoder,
  };
}

const isInput = (name: string) => /^(?:token_embd|position_embd|token_types)/.test(name);

function bytesOf(tensors: GgufHeader['tensors'], isCounted: (name: string) => boolean): number {
  let sum = 0;
  for (const [name, bytes] of tensors) if (isCounted(name)) sum += bytes;
  return sum;
}

function perLayer(value: MetadataValue | undefined, otherwise: number): (layer: number) => number {
  if (Array.isArray(value)) return (layer) => value[layer] ?? 0;
  return () => (typeof value === 'number' ? value : otherwise);
}

type Get = (name: string) => MetadataValue | undefined;

/** Hybrid models have full attention in every n-th layer only; the others have a state of fixed size. */
function fullAttention(architecture: string, get: Get): (layer: number) => boolean {
  const interval = get('full_attention_interval') ?? (architecture === 'qwen3next' ? 4 : 1);
  return (layer) => typeof interval !== 'number' || (layer + 1) % interval === 0;
}

/** Every n-th layer sees all tokens, the others a window: where the file does not say so, it is known to llama-server. */
const windowPatterns: Readonly<Record<string, number>> = {
  gemma2: 2,
  gemma3: 6,
  gemma3n: 5,
  'gpt-oss': 2,
  cohere2: 4,
  exaone4: 4,
};

function slidingWindow(architecture: string, get: Get): (layer: number) => number | undefined {
  const window = get('attention.sliding_window');
  const pattern = get('attention.sliding_window_pattern') ?? windowPatterns[architecture];
  if (typeof window !== 'number' || window === 0) return () => undefined;
  if (Array.isArray(pattern)) return (layer) => (pattern[layer] ? window : undefined);
  if (typeof pattern !== 'number') return () => undefined;
  return (layer) => ((layer + 1) % pattern === 0 ? undefined : window);
}
