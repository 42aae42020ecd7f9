import { includesArgument } from '../../models/extra-arguments.ts';
import { MiB } from '../../settings/sizes.ts';

/** The limit of llama-server's prompt cache by default, in MiB. */
const defaultMiB = 8192;

export interface PromptCacheOptions {
  readonly extraArgs: readonly string[];
  /** Bytes; undefined if unknown. */
  readonly availableMemory: number | undefined;
  /** The size of the model file, 0 if there is none yet; or what all models that are loaded together take. */
  readonly modelBytes: number;
  /** The engines that share the memory; 1 by default. */
  readonly engines?: number;
}

/**
 * The limit of the prompt cache in MiB; undefined leaves it to llama-server, which does not read the container's limit and
 * would be killed at it. A quarter of what the model leaves, but at least a sixteenth of all, because a model on the GPU
 * needs little memory. Engines that can be loaded together share it equally.
 */
export function promptCacheMiB({
  extraArgs,
  availableMemory,
  modelBytes,
  engines = 1,
}: PromptCacheOptions): number | undefined {
  if (availableMemory === undefined || includesArgument(extraArgs, ['-cram', '--cache-ram']))
    return undefined;
  const limitBytes = Math.max((availableMemory - modelBytes) / 4, availableMemory / 16);
  const limitMiB = Math.floor(limitBytes / engines / MiB);
  return limitMiB < defaultMiB ? limitMiB : undefined;
}
