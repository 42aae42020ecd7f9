import type {
  AliasState,
  EngineState,
  EnginesMessage,
  ModelState,
} from '../../health/supervisor-messages.ts';
import type { ModelReport, SupervisorStatus } from '../../health/supervisor-status.ts';
import type { AliasTarget, ModelKind, ModelRecord, Registry } from '../../models/registry.ts';
import type { QueueCounts } from '../scheduler/fair-queue.ts';
import type { AliasEntry, ModelDirectory } from './model-directory.ts';

/** A model for operators: its state, and what the supervisor and `models.json` say of it. */
export interface ModelView extends Omit<ModelState, 'removed' | 'meta'> {
  readonly kind: ModelKind;
  /** Whether `GET /v1/models` lists it. */
  readonly listed: boolean;
  readonly queue: { readonly waiting: number };
  /** The slots of all its engines; none while it is not loaded. */
  readonly slots: { readonly total: number; readonly busy: number };
  /** What it takes, or would take, in bytes; null if unknown. */
  readonly memory: number | null;
  readonly restarts: number;
  /** By crash class. */
  readonly crashes: Readonly<Record<string, number>>;
  readonly engines: readonly EngineView[];
}

export type EngineView = Pick<EngineState, 'id' | 'status' | 'slots' | 'loadProgress'>;

export interface AliasView extends AliasState {
  /** What a rollback goes back to. */
  readonly previous: readonly AliasTarget[] | null;
}

export interface ModelsView {
  readonly models: readonly ModelView[];
  readonly aliases: readonly AliasView[];
  /** For all models together, in bytes; null with one model, or if unknown. */
  readonly memoryBudget: number | null;
}

export interface ModelsSources {
  readonly state: EnginesMessage;
  /** Undefined with one model. */
  readonly registry: Registry | undefined;
  /** Undefined with one model. */
  readonly directory: ModelDirectory | undefined;
  /** The slots and requests of a model. */
  readonly countsOf: (model: string) => QueueCounts;
  /** Undefined if the supervisor does not respond. */
  readonly supervisor: SupervisorStatus | undefined;
}

export function viewModels(sources: ModelsSources): ModelsView {
  const { state, registry, directory, countsOf, supervisor } = sources;
  const records = new Map(registry?.models.map((record) => [record.id, record]));
  const reports = new Map(supervisor?.models.map((report) => [report.id, report]));
  const previous = new Map(registry?.aliases.map((alias) => [alias.name, alias.previous]));
  return {
    models: state.models.map((model) => ({
      ...viewState(model, records.get(model.id)),
      ...viewCounts(countsOf(model.id)),
      ...viewReport(reports.get(model.id)),
      engines: state.engines.filter((engine) => engine.model === model.id).map(viewEngine),
    })),
    aliases: (directory?.aliases ?? []).map((alias) => ({
      ...viewAlias(alias),
      previous: previous.get(alias.name) ?? null,
    })),
    memoryBudget: supervisor?.memoryBudget ?? null,
  };
}

/** The counts of all engines of a model together. */
export function countsIn({ models }: ModelDirectory, id: string): QueueCounts {
  const sum = { capacity: 0, leased: 0, waiting: 0 };
  for (const { scheduler } of models.find(({ record }) => record.id === id)?.engines ?? []) {
    sum.capacity += scheduler.counts.capacity;
    sum.leased += scheduler.counts.leased;
    sum.waiting += scheduler.counts.waiting;
  }
  return sum;
}

function viewState(
  { id, status, loadProgress, failure, pin, removed }: ModelState,
  record: ModelRecord | undefined,
) {
  const { kind = 'chat', listed = true } = record ?? {};
  return { id, kind, status, loadProgress, failure, pin, listed: listed && !removed };
}

const viewCounts = ({ capacity, leased, waiting }: QueueCounts) => ({
  queue: { waiting },
  slots: { total: capacity, busy: leased },
});

const viewReport = ({
  memory = null,
  restarts = 0,
  crashes = {},
}: Partial<Pick<ModelReport, 'memory' | 'restarts' | 'crashes'>> = {}) => ({ memory, restarts, crashes });

export const viewAlias = ({ name, targets }: AliasEntry): AliasState => ({
  name,
  targets: targets.map(({ model, weight, effectiveWeight, suspended = null }) => ({
    ...{ model, weight, effectiveWeight, suspended },
  })),
});

/** Without its address and its key. */
const viewEngine = ({ id, status, slots, loadProgress }: EngineState): EngineView => ({
  ...{ id, status, slots, loadProgress },
});
