import { modelFileParts } from './gguf-file.ts';
import { readGgufHeader } from './gguf-header.ts';

/** What a model file says of its model: with the names and the values that llama-server reports once it is loaded. */
export interface FileMeta {
  readonly n_ctx_train?: number;
  readonly n_embd?: number;
  readonly n_vocab?: number;
  readonly n_params: number;
  /** Bytes of all tensors. */
  readonly size: number;
}

/** Reads the headers of a model's files. Undefined if they are missing or damaged: the load will fail, and say why. */
export function readFileMeta(path: string): FileMeta | undefined {
  try {
    const headers = modelFileParts(path).map(readGgufHeader);
    const metadata = headers[0]?.metadata;
    const architecture = String(metadata?.get('general.architecture') ?? '');
    const numbers = {
      n_ctx_train: metadata?.get(`${architecture}.context_length`),
      n_embd: metadata?.get(`${architecture}.embedding_length`),
      n_vocab: sizeOf(metadata?.get('tokenizer.ggml.tokens')) ?? metadata?.get(`${architecture}.vocab_size`),
    };
    return {
      ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => typeof value === 'number')),
      n_params: headers.reduce((sum, { parameters }) => sum + parameters, 0),
      size: headers.reduce((sum, { tensors }) => sum + bytesOf(tensors), 0),
    };
  } catch {
    return undefined;
  }
}

/** The length of a list: of a long one the header has only that. */
const sizeOf = (value: unknown) => (Array.isArray(value) ? value.length : value);

function bytesOf(tensors: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const bytes of tensors.values()) sum += bytes;
  return sum;
}
