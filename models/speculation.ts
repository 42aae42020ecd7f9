import { computesVectors } from './context-size.ts';
import { includesArgument } from './extra-arguments.ts';
import { modelFileBytes, modelFileParts } from './gguf-file.ts';
import { readGgufHeader } from './gguf-header.ts';
import type { ModelSource, SpeculationChoice } from './registry.ts';

/** The options of an engine that decide how it speculates. */
export interface SpeculationOptions {
  readonly model: ModelSource;
  readonly draftModel: string | undefined;
  /** Undefined: with the draft model, if there is one. */
  readonly speculate?: SpeculationChoice | undefined;
  readonly extraArgs: readonly string[];
}

export type SpeculationMethod = Exclude<SpeculationChoice, 'auto'>;

/** How an engine speculates: which tokens are guessed, to be checked by the model in one batch. */
export interface Speculation {
  readonly method: SpeculationMethod;
  /** The file that the engine loads beside the model; undefined for none. */
  readonly draftModel: string | undefined;
}

const none: Speculation = { method: 'off', draftModel: undefined };

/**
 * `auto` uses what was made for the model: its own layers for multi-token prediction (MTP), else the draft model, else
 * nothing. It never chooses n-grams, which cost time where a text does not repeat itself.
 */
export function resolveSpeculation(options: SpeculationOptions): Speculation {
  const { model, draftModel, extraArgs } = options;
  const withDraft: Speculation = draftModel === undefined ? none : { method: 'draft', draftModel };
  if (options.speculate === undefined) return withDraft;
  if (computesVectors(extraArgs)) return none;
  switch (options.speculate) {
    case 'off':
      return none;
    case 'ngram':
      return { method: 'ngram', draftModel: undefined };
    case 'draft':
      return withDraft;
    case 'mtp':
      // Some models have their MTP layers in a file of their own.
      return { method: 'mtp', draftModel: hasMtpLayers(model) ? undefined : draftModel };
    case 'auto':
      return canRunMtp(model) ? { method: 'mtp', draftModel: undefined } : withDraft;
  }
}

/** Arguments of llama-server by which an operator chooses how it speculates. */
const speculationArguments = [
  ...['--spec-type', '--spec-default', '--mtp', '-md', '--model-draft', '--spec-draft-model'],
  ...['-hfd', '-hfrd', '--hf-repo-draft', '--spec-draft-hf'],
];

/** The first of these arguments that says the same as `SPECULATE`. */
export function findSpeculationArgument(args: readonly string[]): string | undefined {
  return speculationArguments.find((name) => includesArgument(args, [name]));
}

/** The architectures whose MTP layers llama-server runs. It loads other models that have such layers without them. */
const withMtp = new Set([
  ...['qwen35', 'qwen35moe', 'qwen3next', 'deepseek2', 'deepseek32', 'deepseek4', 'glm-dsa', 'step35'],
  ...['mimo2', 'nemotron_h_moe', 'cohere2moe', 'hy_v3', 'bailingmoe3'],
]);

function canRunMtp(model: ModelSource): boolean {
  const layers = readMtpLayers(model);
  return layers !== undefined && layers.count > 0 && withMtp.has(layers.architecture);
}

/** Undefined if the file is not there yet, or cannot be read. */
export function hasMtpLayers(model: ModelSource): boolean | undefined {
  const layers = readMtpLayers(model);
  return layers && layers.count > 0;
}

/** Quantizers often drop the tensors of these layers and keep their number in the metadata. */
function readMtpLayers(
  model: ModelSource,
): { readonly architecture: string; readonly count: number } | undefined {
  if (model.kind === 'hugging-face' || modelFileBytes(model.path) === 0) return undefined;
  try {
    const headers = modelFileParts(model.path).map(readGgufHeader);
    const metadata = headers[0]?.metadata;
    const architecture = String(metadata?.get('general.architecture') ?? '');
    const count = Number(metadata?.get(`${architecture}.nextn_predict_layers`)) || 0;
    const hasTensors = headers.some(({ tensors }) => tensors.keys().some((name) => name.includes('.nextn.')));
    return { architecture, count: hasTensors ? count : 0 };
  } catch {
    return undefined;
  }
}
