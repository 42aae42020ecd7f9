import { availableMemory } from '../models/available-memory.ts';
import { type FileMeta, readFileMeta } from '../models/file-meta.ts';
import { budgetProblems, type MemoryBudget, needInAll, resolveBudget } from '../models/memory-budget.ts';
import { estimateNeed, type MemoryNeed } from '../models/memory-need.ts';
import type { ModelRecord, Registry } from '../models/registry.ts';
import { formatBytes } from '../settings/sizes.ts';
import type { SupervisorConfig } from './config.ts';
import { replicaOptions } from './engine-options.ts';
import { readGpuBytes } from './platform/gpu-memory.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What is known about the memory of a model. */
export interface MemoryUse {
  readonly record: ModelRecord | undefined;
  /** What it took at its last load, in bytes. */
  readonly measuredBytes: number | undefined;
  /** More than this was free when its last load failed for lack of memory. */
  readonly missedBytes: number | undefined;
}

/** Without any knowledge of the machine, everything fits. */
const unlimited: MemoryBudget = { bytes: Number.MAX_SAFE_INTEGER, memory: 'machine' };

/** What models need, and what all of them together may take. */
export class ModelMemory {
  readonly budget: MemoryBudget;
  readonly #config: SupervisorConfig;
  /** Estimates, because the headers of model files are long. */
  readonly #estimates = new WeakMap<ModelRecord, MemoryNeed>();

  readonly #metas = new WeakMap<ModelRecord, FileMeta>();

  constructor(config: SupervisorConfig, budget: MemoryBudget = unlimited) {
    this.#config = config;
    this.budget = budget;
  }

  /** Bytes: what its operator reserves for it, else what it took at its last load, else an estimate. */
  needOf({ record, measuredBytes, missedBytes = 0 }: MemoryUse): number {
    if (record === undefined) return 0;
    const estimate = needInAll(record, (model) => this.#estimate(model)) ?? 0;
    const isReserved = record.limits.memory !== undefined;
    const need = isReserved ? estimate : this.#corrected(estimate, measuredBytes);
    return Math.max(need, missedBytes);
  }

  /**
   * A GPU holds everything from the load on. In the memory of the machine, parts of the model and of its context come with
   * their first use, so that a measurement can only show that the estimate was too low.
   */
  #corrected(estimate: number, measured: number | undefined): number {
    if (measured === undefined) return estimate;
    return this.budget.memory === 'gpu' ? measured : Math.max(measured, estimate);
  }

  /** Models that can never be loaded within the budget. */
  problemsOf(registry: Registry): string[] {
    return budgetProblems(registry, (model) => this.#estimate(model), this.budget);
  }

  /** What its file contains; undefined if there is none yet, or it cannot be read. */
  metaOf(record: ModelRecord): FileMeta | undefined {
    const { source } = record;
    const known = this.#metas.get(record);
    if (known || source.kind === 'backends' || source.kind === 'hugging-face') return known;
    const meta = readFileMeta(source.path);
    if (meta) this.#metas.set(record, meta);
    return meta;
  }

  describeMisfit({ need, available }: { readonly need: number; readonly available: number }): string {
    return `the model needs ${formatBytes(need)}, but pinned models leave ${formatBytes(available)} of the ${formatBytes(this.budget.bytes)} of MEMORY_BUDGET; unpin one, lower ctx or parallel, or raise MEMORY_BUDGET`;
  }

  #estimate(record: ModelRecord): MemoryNeed | undefined {
    const known = this.#estimates.get(record);
    if (known || record.source.kind === 'backends') return known;
    const options = replicaOptions(this.#config.settings, { ...record, source: record.source });
    try {
      const need = estimateNeed(options, this.budget.memory);
      if (need) this.#estimates.set(record, need);
      return need;
    } catch {
      // Its load will fail, and say why.
      return undefined;
    }
  }
}

/** The budget of this machine; undefined if nothing is known of it. */
export async function readBudget(
  { settings }: SupervisorConfig,
  env: Environment,
): Promise<MemoryBudget | undefined> {
  const { NGL, NVIDIA_SMI, MEMORY_BUDGET } = settings;
  const gpus = { nvidiaSmi: NVIDIA_SMI, visibleDevices: env.CUDA_VISIBLE_DEVICES };
  return resolveBudget(MEMORY_BUDGET, {
    gpuBytes: NGL === 0 ? undefined : await readGpuBytes(gpus),
    machineBytes: availableMemory(),
  });
}
