import { MiB } from '../settings/sizes.ts';
import { computesVectors, defaultInputTokens, defaultSlots } from './context-size.ts';
import { argumentValue } from './extra-arguments.ts';
import { modelFileBytes } from './gguf-file.ts';
import { type Layer, type ModelShape, readModelShape } from './model-shape.ts';
import type { AdapterFile, ModelSource, SpeculationChoice } from './registry.ts';
import { resolveSpeculation } from './speculation.ts';

/** The options of an engine that decide on its memory. */
export interface NeedOptions {
  readonly model: ModelSource;
  /** Context tokens of one request. */
  readonly ctx: number | 'auto';
  readonly parallel: number | 'auto';
  readonly ngl: number | 'auto';
  readonly flashAttn: 'auto' | 'on' | 'off';
  readonly cacheTypeK: string | undefined;
  readonly cacheTypeV: string | undefined;
  readonly mmproj: string | undefined;
  readonly draftModel: string | undefined;
  readonly adapters?: readonly AdapterFile[] | undefined;
  readonly speculate?: SpeculationChoice | undefined;
  readonly extraArgs: readonly string[];
}

/** Bytes that an engine takes of the memory that the budget counts: that of the GPUs, or of the machine. */
export interface MemoryNeed {
  readonly weights: number;
  readonly kvCache: number;
  /** Buffers for the computation of one batch. */
  readonly compute: number;
  /** What the process itself takes. */
  readonly overhead: number;
  readonly total: number;
  /** Tokens that the KV cache holds, of all slots. */
  readonly contextTokens: number;
}

/** Without weights and caches: libraries and, on a GPU, the CUDA context. Estimates. */
const overheads = { machine: 32 * MiB, gpu: 512 * MiB };

/**
 * Estimates the memory of one engine from the headers of its files. Undefined if the model has not been downloaded yet.
 * What a load really took replaces the estimate. Throws an error that names a file that cannot be read.
 */
export function estimateNeed(options: NeedOptions, memory: 'gpu' | 'machine'): MemoryNeed | undefined {
  const { model, mmproj } = options;
  const { method, draftModel } = resolveSpeculation(options);
  if (model.kind === 'hugging-face' || modelFileBytes(model.path) === 0) return undefined;
  const main = needOfModel(readModelShape(model.path), options, memory);
  const draft = draftModel === undefined ? nothing : needOfModel(readModelShape(draftModel), options, memory);
  const others = [mmproj, ...(options.adapters ?? []).map(({ path }) => path)].filter(
    (file) => file !== undefined,
  );
  const parts = {
    weights: main.weights + draft.weights + others.reduce((sum, file) => sum + modelFileBytes(file), 0),
    kvCache: main.kvCache + draft.kvCache,
    // MTP layers run in a context of their own.
    compute: (method === 'mtp' ? 2 : 1) * main.compute + draft.compute,
    overhead: overheads[memory],
  };
  const total = parts.weights + parts.kvCache + parts.compute + parts.overhead;
  return { ...parts, total, contextTokens: main.contextTokens };
}

const nothing = { weights: 0, kvCache: 0, compute: 0 };

function needOfModel(shape: ModelShape, options: NeedOptions, memory: 'gpu' | 'machine') {
  const context = contextOf(shape, options);
  const counted = memory === 'machine' ? shape.layers : layersOnGpu(shape, options.ngl);
  const isWhole = counted.length === shape.layers.length;
  const onGpu = shape.outputBytes + (shape.sharesMatrix ? shape.inputBytes : 0);
  const inMachine = shape.inputBytes + shape.outputBytes;
  const ends = memory === 'machine' ? inMachine : isWhole ? onGpu : 0;
  return {
    weights: counted.reduce((sum, { bytes }) => sum + bytes, ends),
    kvCache: counted.reduce((sum, layer) => sum + cacheOfLayer(layer, context, options), 0),
    compute: counted.length === 0 ? 0 : computeBuffers(shape, context, options),
    contextTokens: context.streams * context.cells,
  };
}

/** The last layers are put on the GPU first. */
function layersOnGpu({ layers }: ModelShape, ngl: number | 'auto'): readonly Layer[] {
  return ngl === 'auto' || ngl >= layers.length ? layers : layers.slice(layers.length - ngl);
}

interface Context {
  /** Tokens of each part of the KV cache. */
  readonly cells: number;
  /** Slots with a part of their own. */
  readonly streams: number;
  readonly slots: number;
  /** Tokens of one batch. */
  readonly batch: number;
  /** Tokens of a batch whose scores over the vocabulary are computed. */
  readonly outputs: number;
}

/** llama-server's default. */
const defaultBatch = 512;

/** As llama-server divides the context: see contextArguments and batchArguments of the command line. */
function contextOf(shape: ModelShape, { ctx, parallel, extraArgs }: NeedOptions): Context {
  const slots = parallel === 'auto' ? defaultSlots : parallel;
  const isVector = computesVectors(extraArgs);
  const [cells, streams] = ctx === 'auto' ? [shape.trainedContext, 1] : [roundUp(ctx), slots];
  const wanted = Number(argumentValue(extraArgs, ['-ub', '--ubatch-size']));
  const batch = wanted || (isVector ? (ctx === 'auto' ? defaultInputTokens : ctx) : defaultBatch);
  const tokens = Math.min(batch, cells * streams);
  return { cells, streams, slots, batch: tokens, outputs: isVector ? tokens : slots };
}

const roundUp = (tokens: number) => Math.ceil(tokens / 256) * 256;

/** Bytes of one number. */
const typeBytes: Readonly<Record<string, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
  iq4_nl: 18 / 32,
};

function cacheOfLayer(
  { keys, values, window }: Layer,
  { cells, streams, slots, batch }: Context,
  { cacheTypeK = 'f16', cacheTypeV = 'f16' }: NeedOptions,
): number {
  const seen = window === undefined ? cells : roundUp(window * (slots / streams) + batch);
  const perToken = keys * (typeBytes[cacheTypeK] ?? 2) + values * (typeBytes[cacheTypeV] ?? 2);
  return streams * Math.min(cells, seen) * perToken;
}

/** The mask of the attention, the values between the layers and the output. Without flash attention, all scores as well. */
function computeBuffers(
  shape: ModelShape,
  { cells, batch, outputs }: Context,
  { flashAttn }: NeedOptions,
): number {
  const { embedding, feedForward, heads, vocabulary, isEncoder } = shape;
  const columns = isEncoder ? batch : cells;
  const scores = flashAttn === 'off' ? 4 * (heads + 1) : 2;
  const output = isEncoder ? 0 : outputs * vocabulary * 4;
  const values = (isEncoder ? 7 : 6) * embedding + 2 * feedForward;
  return batch * (columns * scores + 4 * values) + output;
}
