import { estimateNeed, type MemoryNeed } from '../../models/memory-need.ts';
import type { ModelRecord } from '../../models/registry.ts';
import type { Settings } from '../../settings/variables.ts';
import { replicaOptions } from '../../supervisor/engine-options.ts';

/** About what each engine of a model takes of the machine's memory; if that is unknown, why. */
export function estimatedMemory(model: ModelRecord, settings: Settings): MemoryNeed | string {
  const { source } = model;
  if (source.kind === 'backends') return 'runs elsewhere';
  try {
    return (
      estimateNeed(replicaOptions(settings, { ...model, source }), 'machine') ??
      'unknown before the model is downloaded'
    );
  } catch (error) {
    return `unknown: ${(error as Error).message}`;
  }
}
