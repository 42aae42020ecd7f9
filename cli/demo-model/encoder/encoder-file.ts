import { ggufBytes, type Metadata, type Tensor } from '../gguf-writer.ts';
import { type Matrix, zeros } from '../matrix.ts';
import type { AttentionLayer } from './attention-layer.ts';
import { type Layout, tokenRows } from './token-rows.ts';
import { specialPieces, unknownPiece, wordPieces } from './word-pieces.ts';

/** Tokens of one text; also the default batch size of llama-server, which an encoder must not exceed. */
export const encoderContext = 512;

/** As GGUF numbers them. */
export const pooling = { mean: 1, rank: 4 } as const;

/** The feed-forward networks are zero. */
const feedForward = 32;

export interface Encoder {
  readonly name: string;
  readonly layout: Layout;
  readonly pooling: (typeof pooling)[keyof typeof pooling];
  readonly layers: readonly AttentionLayer[];
  /** One row for each position; by default zero. */
  readonly positions?: Matrix;
  /** The norm of a token, which layer normalization restores. */
  readonly norm: number;
  /** The score of a text is this row times the first token, plus the bias. */
  readonly classifier?: { readonly row: Float32Array; readonly bias: number };
}

/** A BERT model as a GGUF file. */
export function encoderBytes(encoder: Encoder): Buffer {
  return ggufBytes(metadataOf(encoder), tensorsOf(encoder));
}

function metadataOf({ name, layout, pooling, layers }: Encoder): Record<string, Metadata> {
  const tokens = [...wordPieces.keys()];
  const id = (piece: string) => ({ u32: tokens.indexOf(piece) });
  const types = [...wordPieces].map(([piece, kind]) =>
    piece === unknownPiece ? 2 : kind === 'special' ? 3 : 1,
  );
  return {
    'general.architecture': { text: 'bert' },
    'general.name': { text: name },
    'bert.context_length': { u32: encoderContext },
    'bert.embedding_length': { u32: layout.width },
    'bert.block_count': { u32: layers.length },
    'bert.feed_forward_length': { u32: feedForward },
    'bert.attention.head_count': { u32: 1 },
    'bert.attention.layer_norm_epsilon': { f32: 1e-12 },
    'bert.attention.causal': { bool: false },
    'bert.pooling_type': { u32: pooling },
    'bert.vocab_size': { u32: tokens.length },
    'tokenizer.ggml.model': { text: 'bert' },
    'tokenizer.ggml.pre': { text: 'default' },
    'tokenizer.ggml.tokens': { texts: tokens },
    'tokenizer.ggml.token_type': { i32s: types },
    'tokenizer.ggml.token_type_count': { u32: 1 },
    'tokenizer.ggml.unknown_token_id': id(unknownPiece),
    'tokenizer.ggml.bos_token_id': id(specialPieces.first),
    'tokenizer.ggml.cls_token_id': id(specialPieces.first),
    'tokenizer.ggml.eos_token_id': id(specialPieces.separator),
    'tokenizer.ggml.seperator_token_id': id(specialPieces.separator),
    'tokenizer.ggml.padding_token_id': id(specialPieces.padding),
    'tokenizer.ggml.mask_token_id': id(specialPieces.mask),
  };
}

function tensorsOf(encoder: Encoder): Tensor[] {
  const { layout, layers, positions = zeros(encoderContext, layout.width), norm, classifier } = encoder;
  const { width } = layout;
  const normalization = (name: string): Tensor[] => [
    vector(`${name}.weight`, new Float32Array(width).fill(norm / Math.sqrt(width))),
    vector(`${name}.bias`, new Float32Array(width)),
  ];
  return [
    { name: 'token_embd.weight', shape: [width, wordPieces.size], values: tokenRows(layout) },
    { name: 'position_embd.weight', shape: [width, encoderContext], values: positions.values },
    ...normalization('token_embd_norm'),
    ...layers.flatMap((layer, index) => layerTensors(`blk.${index}`, layer, normalization)),
    ...(classifier
      ? [
          { name: 'cls.output.weight', shape: [width, 1], values: classifier.row },
          vector('cls.output.bias', Float32Array.of(classifier.bias)),
        ]
      : []),
  ];
}

function layerTensors(
  block: string,
  { query, key, value, output, queryBias }: AttentionLayer,
  normalization: (name: string) => Tensor[],
): Tensor[] {
  const width = queryBias.length;
  const noBias = new Float32Array(width);
  return [
    half(`${block}.attn_q.weight`, query),
    vector(`${block}.attn_q.bias`, queryBias),
    half(`${block}.attn_k.weight`, key),
    vector(`${block}.attn_k.bias`, noBias),
    half(`${block}.attn_v.weight`, value),
    vector(`${block}.attn_v.bias`, noBias),
    half(`${block}.attn_output.weight`, output),
    vector(`${block}.attn_output.bias`, noBias),
    ...normalization(`${block}.attn_output_norm`),
    half(`${block}.ffn_up.weight`, zeros(feedForward, width)),
    half(`${block}.ffn_down.weight`, zeros(width, feedForward)),
    ...normalization(`${block}.layer_output_norm`),
  ];
}

function vector(name: string, values: Float32Array): Tensor {
  return { name, shape: [values.length], values };
}

function half(name: string, { rows, columns, values }: Matrix): Tensor {
  return { name, shape: [columns, rows], values: new Float16Array(values) };
}
