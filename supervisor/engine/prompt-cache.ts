import { includesArgument } from './extra-arguments.ts';

const MiB = 1024 ** 2;

/** What llama-server keeps of earlier prompts in memory by its own choice, MiB. */
const usualMiB = 8192;

export interface PromptCacheOptions {
  readonly extraArgs: readonly string[];
  /** Bytes; undefined where it is not known. */
  readonly spareMemory: number | undefined;
  /** What the model's file takes; 0 where there is none yet. */
  readonly modelBytes: number;
}

/**
 * How many MiB llama-server may keep of earlier prompts; undefined leaves it to llama-server, which knows nothing of the
 * container's limit and would be killed at it. A quarter of what the model leaves, and, as a model on the GPU needs little of
 * it, no less than a sixteenth of all.
 */
export function promptCacheMiB({
  extraArgs,
  spareMemory,
  modelBytes,
}: PromptCacheOptions): number | undefined {
  if (spareMemory === undefined || includesArgument(extraArgs, ['-cram', '--cache-ram'])) return undefined;
  const room = Math.max((spareMemory - modelBytes) / 4, spareMemory / 16);
  const fitting = Math.floor(room / MiB);
  return fitting < usualMiB ? fitting : undefined;
}
