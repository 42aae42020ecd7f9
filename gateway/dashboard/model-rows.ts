import type { EngineView, ModelView } from '../models/model-views.ts';
import type { ModelsReport } from '../models/models-report.ts';
import type { OpenRequest } from './request-views.ts';

/** The models and aliases on the dashboard. */
export interface ModelRows {
  readonly models: readonly ModelRow[];
  readonly aliases: readonly AliasRow[];
  /** What all models may take and what the loaded ones take, in bytes. */
  readonly memoryBudget: number | null;
  readonly memoryUsed: number;
}

export interface ModelRow
  extends Pick<ModelView, 'id' | 'kind' | 'status' | 'loadProgress' | 'failure' | 'pin' | 'memory'> {
  /** Of all its engines; null while it is not loaded. */
  readonly slots: number | null;
  readonly running: number;
  readonly waiting: number;
  /** Of its running requests together. */
  readonly tokensPerSecond: number;
}

export interface AliasRow {
  readonly name: string;
  readonly targets: readonly { readonly model: string; readonly share: number }[];
  readonly canRollBack: boolean;
}

/** The open requests give what each model has to do. */
export function describeModels(report: ModelsReport, open: readonly OpenRequest[]): ModelRows {
  const models = report.models.map((model) => describeModel(model, open));
  const isResident = ({ status }: ModelRow) => status !== 'unloaded' && status !== 'failed';
  return {
    models,
    aliases: report.aliases.map(({ name, targets, previous }) => {
      const total = targets.reduce((sum, { weight }) => sum + weight, 0);
      const shares = targets.map(({ model, weight }) => ({ model, share: weight / total }));
      return { name, targets: shares, canRollBack: previous !== null };
    }),
    memoryBudget: report.memoryBudget,
    memoryUsed: models.filter(isResident).reduce((sum, { memory }) => sum + (memory ?? 0), 0),
  };
}

function describeModel(view: ModelView, open: readonly OpenRequest[]): ModelRow {
  const { id, kind, status, loadProgress, failure, pin, memory, engines } = view;
  const own = open.filter(({ model }) => model === id);
  const running = own.filter(({ state }) => state === 'running');
  return {
    ...{ id, kind, status, loadProgress, failure, pin, memory, slots: slotsOf(engines) },
    running: running.length,
    waiting: own.length - running.length,
    tokensPerSecond: running.reduce((sum, { tokensPerSecond }) => sum + (tokensPerSecond ?? 0), 0),
  };
}

function slotsOf(engines: readonly EngineView[]): number | null {
  const known = engines.flatMap(({ slots }) => slots ?? []);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}
