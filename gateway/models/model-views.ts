import type { EngineState, EnginesMessage, ModelState } from '../../health/supervisor-messages.ts';
import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import type { Alias, ModelKind, ModelRecord, Registry } from '../../models/registry.ts';

/** A model for operators: its state, and what the supervisor and `models.json` say of it. */
export interface ModelView extends Omit<ModelState, 'removed'> {
  readonly kind: ModelKind;
  /** Whether `GET /v1/models` lists it. */
  readonly listed: boolean;
  /** What it takes, or would take, in bytes; null if unknown. */
  readonly memory: number | null;
  readonly restarts: number;
  /** By crash class. */
  readonly crashes: Readonly<Record<string, number>>;
  readonly engines: readonly EngineView[];
}

export type EngineView = Pick<EngineState, 'id' | 'status' | 'slots' | 'loadProgress'>;

export interface ModelsView {
  readonly models: readonly ModelView[];
  readonly aliases: readonly Alias[];
  /** For all models together, in bytes; null with one model, or if unknown. */
  readonly memoryBudget: number | null;
}

export interface ModelsSources {
  readonly state: EnginesMessage;
  /** Undefined with one model. */
  readonly registry: Registry | undefined;
  /** Undefined if the supervisor does not respond. */
  readonly supervisor: SupervisorStatus | undefined;
}

export function viewModels({ state, registry, supervisor }: ModelsSources): ModelsView {
  const records = new Map(registry?.models.map((record) => [record.id, record]));
  const reports = new Map(supervisor?.models.map((report) => [report.id, report]));
  return {
    models: state.models.map((model) => ({
      ...viewState(model, records.get(model.id)),
      memory: reports.get(model.id)?.memory ?? null,
      restarts: reports.get(model.id)?.restarts ?? 0,
      crashes: reports.get(model.id)?.crashes ?? {},
      engines: state.engines.filter((engine) => engine.model === model.id).map(viewEngine),
    })),
    aliases: registry?.aliases ?? [],
    memoryBudget: supervisor?.memoryBudget ?? null,
  };
}

function viewState(
  { id, status, loadProgress, failure, pin, removed }: ModelState,
  record: ModelRecord | undefined,
) {
  const { kind = 'chat', listed = true } = record ?? {};
  return { id, kind, status, loadProgress, failure, pin, listed: listed && !removed };
}

/** Without its address and its key. */
const viewEngine = ({ id, status, slots, loadProgress }: EngineState): EngineView => ({
  id,
  status,
  slots,
  loadProgress,
});
