import { includesArgument } from '../../models/extra-arguments.ts';
import { readGgufHeader } from '../../models/gguf-header.ts';
import {
  resolveSpeculation,
  type SpeculationMethod,
  type SpeculationOptions,
} from '../../models/speculation.ts';

interface Options extends SpeculationOptions {
  readonly speculationTypes?: readonly string[] | undefined;
}

/** What llama-server calls a method. Builds differ, so the first one that it has is used. */
const names: Readonly<Record<Exclude<SpeculationMethod, 'off'>, readonly string[]>> = {
  mtp: ['draft-mtp'],
  // n-grams of all slots in one table of fixed size; the others keep those of one slot, or read a file.
  ngram: ['ngram-mod', 'ngram-map-k4v', 'ngram-map-k', 'ngram-simple'],
  draft: ['draft-simple'],
};

/** Draft models that are no models on their own: they continue the work of the model's layers. */
const byArchitecture: Readonly<Record<string, string>> = { eagle3: 'draft-eagle3', dflash: 'draft-dflash' };

export function speculationArguments(options: Options): string[] {
  const { extraArgs, speculationTypes } = options;
  const { method, draftModel } = resolveSpeculation(options);
  if (method === 'off') return [];
  const draft = draftModel === undefined ? [] : ['-md', draftModel];
  const isChosen = includesArgument(extraArgs, ['--spec-type', '--spec-default', '--mtp']);
  // Builds that have no types draft as soon as there is a model for it.
  const isImplied = method === 'draft' && !(speculationTypes ?? []).includes('draft-simple');
  if (isChosen || isImplied) return draft;
  return [...draft, '--spec-type', typeFor(method, draftModel, speculationTypes)];
}

function typeFor(
  method: Exclude<SpeculationMethod, 'off'>,
  draftModel: string | undefined,
  types: readonly string[] | undefined,
): string {
  const special = method === 'draft' && draftModel !== undefined ? specialType(draftModel) : undefined;
  const [first = '', ...others] = special === undefined ? names[method] : [special];
  return types?.includes(first) ? first : (others.find((name) => types?.includes(name)) ?? first);
}

function specialType(draftModel: string): string | undefined {
  try {
    const architecture = readGgufHeader(draftModel).metadata.get('general.architecture');
    return byArchitecture[String(architecture)];
  } catch {
    // Its load will fail, and say why.
    return undefined;
  }
}

/** Whether a build with these types has this method. */
export function offersMethod(method: SpeculationMethod, types: readonly string[]): boolean {
  return method === 'off' || method === 'draft' || names[method].some((name) => types.includes(name));
}
