import type { ModelRecord } from '../models/registry.ts';
import {
  findSpeculationArgument,
  hasMtpLayers,
  resolveSpeculation,
  type SpeculationOptions,
} from '../models/speculation.ts';
import { offersMethod } from './engine/speculation-arguments.ts';

export interface CheckedSpeculation extends SpeculationOptions {
  readonly speculationTypes?: readonly string[] | undefined;
}

/** Why `SPECULATE` and `EXTRA_ARGS` cannot be set together, with one model or several. */
export function speculationArgumentProblems({
  speculate,
  extraArgs,
}: Pick<SpeculationOptions, 'speculate' | 'extraArgs'>): string[] {
  const same = speculate && findSpeculationArgument(extraArgs);
  return same === undefined ? [] : [`EXTRA_ARGS: ${same} says the same as SPECULATE; remove one of them`];
}

/** Why `SPECULATE` cannot be done with this model and this llama-server. */
export function speculationProblems(options: CheckedSpeculation): string[] {
  const { speculate, draftModel, speculationTypes } = options;
  if (speculate === undefined) return [];
  const ofArguments = speculationArgumentProblems(options);
  if (ofArguments.length > 0) return ofArguments;
  const { method } = resolveSpeculation(options);
  if (speculate === 'draft' && draftModel === undefined)
    return ['SPECULATE: "draft" needs a draft model; set DRAFT_MODEL, or choose auto'];
  if (lacksMtp(options))
    return [
      'SPECULATE: the model has no MTP layers; choose auto, or set DRAFT_MODEL to the file that has them',
    ];
  if (speculationTypes !== undefined && !offersMethod(method, speculationTypes))
    return [`SPECULATE: this llama-server has no speculation of the kind ${method}; use a newer build`];
  return [];
}

/** A draft model that is not used; undefined if there is none. */
export function unusedDraft(options: SpeculationOptions): string | undefined {
  const { draftModel, speculate } = options;
  const isUsed = draftModel === undefined || resolveSpeculation(options).draftModel !== undefined;
  return isUsed ? undefined : `DRAFT_MODEL is not used with SPECULATE=${speculate}`;
}

/** The same for a model of `models.json`, as far as its files tell. */
export function recordProblems({ source, speculate, draft }: ModelRecord): string[] {
  if (speculate !== 'mtp' || source.kind === 'backends') return [];
  const options = { model: source, draftModel: draft, speculate, extraArgs: [] };
  return lacksMtp(options) ? ['"speculate" is "mtp", but the model has no MTP layers; choose "auto"'] : [];
}

function lacksMtp({ model, draftModel, speculate }: SpeculationOptions): boolean {
  return speculate === 'mtp' && draftModel === undefined && hasMtpLayers(model) === false;
}
